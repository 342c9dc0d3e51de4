/**
 * `taken`: something is there already; `not-good`: the log to copy does not verify; `no-log`: there is none;
 * `in-use`: a process writes there.
 */
export type LogCopyErrorCode = "taken" | "not-good" | "no-log" | "in-use";

/** A backup or a restore cannot be done. What was there before is as it was. */
export class LogCopyError extends Error {
  override readonly name = "LogCopyError";
  readonly code: LogCopyErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: LogCopyErrorCode, what: string, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(what);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
