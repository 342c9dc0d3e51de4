/** A crash trial could not be prepared; what a trial finds is a value, never this. */
export class CrashError extends Error {
  override readonly name = "CrashError";
  readonly code: "trace-damaged" | "life-failed" | "no-answer";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: CrashError["code"], facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint} ${JSON.stringify(facts)}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
