/** A bridge that cannot be composed from its configuration. Kills the start; nothing was opened. */
export class BridgeError extends Error {
  override readonly name = "BridgeError";
  readonly code: "no-such-link";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: BridgeError["code"], facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint} (${JSON.stringify(facts)})`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
