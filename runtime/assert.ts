/** A bug in our own code: never for input. The process crashes and its supervisor starts a fresh one. */
export class AssertionFailed extends Error {
  override readonly name = "AssertionFailed";
}

/** Throws when what must hold does not. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new AssertionFailed(what);
}

/** The default branch of an exhaustive switch. */
export function never(value: never): never {
  throw new AssertionFailed(`not handled: ${JSON.stringify(value)}`);
}
