/** What may go wrong in the simulator itself (not the faults it plays on request). */
export type SimErrorCode = "no-pty" | "path-taken" | "bad-links-file" | "port-taken";

/** A failure of the simulator with its facts and what to do about it. */
export class SimError extends Error {
  readonly code: SimErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;

  constructor(code: SimErrorCode, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint} ${JSON.stringify(facts)}`);
    this.name = "SimError";
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
