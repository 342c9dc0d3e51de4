/** The measurement itself failed: there is no figure, good or bad. */
export class BenchError extends Error {
  override readonly name = "BenchError";
  readonly code: "too-slow" | "worker-failed" | "unexpected-answer" | "nothing-measured";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: BenchError["code"], facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint} ${JSON.stringify(facts)}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
