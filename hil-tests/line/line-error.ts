/** The paced line could not be built, started or asked. */
export class LineError extends Error {
  override readonly name = "LineError";
  readonly code: "no-compiler" | "not-compiled" | "line-ended" | "no-answer";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: LineError["code"], facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint} ${JSON.stringify(facts)}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
