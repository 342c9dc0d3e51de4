export type LogOpenErrorCode = "log-in-use" | "log-format" | "log-damaged" | "log-restoring" | "log-unfit";

/** The log cannot be opened for writing; the process must not start. */
export class LogOpenError extends Error {
  override readonly name = "LogOpenError";
  readonly code: LogOpenErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: LogOpenErrorCode, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
