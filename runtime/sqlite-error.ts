/** Why SQLite said no. The codes are SQLite's primary result codes (sqlite.org/rescode.html), plus three of our own. */
export type SqliteErrorCode = `SQLITE_${string}` | "sqlite-queue-full" | "sqlite-closed" | "sqlite-unfit";

/** One statement, or the opening of one file, failed. What that kills is for the owner of the connection to say. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  readonly code: SqliteErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: SqliteErrorCode, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  SQLITE_FULL: "no space left on the disk: make room in the data directory",
  SQLITE_IOERR: "the disk reported an I/O error: check the storage of the box",
  SQLITE_CORRUPT: "the database file is damaged: restore it from a copy",
  SQLITE_NOTADB: "the file is not a database: look what was put in its place",
  SQLITE_BUSY: "another process holds the database",
  SQLITE_CANTOPEN: "the file cannot be opened: check that the directory exists and may be written",
  SQLITE_READONLY: "the file may not be written by this connection",
};

/** SqliteError of what the driver threw. */
export function sqliteError(cause: unknown, facts: Readonly<Record<string, unknown>>): SqliteError {
  const raw = cause as { code?: unknown; message?: unknown };
  const code = typeof raw.code === "string" && raw.code.startsWith("SQLITE_") ? raw.code : "SQLITE_ERROR";
  const message = String(raw.message ?? cause);
  return new SqliteError(code as SqliteErrorCode, { ...facts, message }, HINTS[code] ?? message);
}
