/**
 * `log-replaced`: another log stands in the file's place (restored, recreated); `log-gap`: a position is missing;
 * `log-shorter`: the log ends before what the follower has; `log-format`: written by a newer version; `archive-missing`: a sealed
 * archive that the log names is not there.
 */
export type LogReaderErrorCode = "log-replaced" | "log-gap" | "log-shorter" | "log-format" | "archive-missing";

/** The log cannot be followed any further by this reader: open it anew, and rebuild what was made of it. */
export class LogReaderError extends Error {
  override readonly name = "LogReaderError";
  readonly code: LogReaderErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: LogReaderErrorCode, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
