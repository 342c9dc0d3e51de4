/** Why one projection stopped. The others go on; a restart rebuilds this one where that can help. */
export type ProjectionErrorCode = "event-refused" | "position-gap" | "checkpoint-moved" | "store-failed";

export class ProjectionError extends Error {
  override readonly name = "ProjectionError";
  readonly code: ProjectionErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;

  constructor(code: ProjectionErrorCode, facts: Readonly<Record<string, unknown>>, hint: string, cause?: unknown) {
    super(`${code}: ${JSON.stringify(facts)}; ${hint}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
