/** A foreign program did not do what the test needed of it; what it said is among the facts. */
export class ForeignError extends Error {
  override readonly name = "ForeignError";
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: string, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${JSON.stringify(facts)}; ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
