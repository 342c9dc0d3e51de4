import { systemClock } from "@servofleet/runtime/system-clock";

const LOOK_EVERY_MS = 25;
const LIMIT_MS = 60_000;

/** What a test waited for did not come about. */
export class NeverError extends Error {
  override readonly name = "NeverError";
  readonly code = "never";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint = "the last thing seen is in the message";
  constructor(what: string, limitMs: number, last: unknown) {
    super(`never within ${limitMs} ms: ${what}\nlast seen: ${JSON.stringify(last)}`);
    this.facts = { what, limitMs };
  }
}

/**
 * Looks again and again until what it sees is accepted, and returns it. A look that throws counts as not yet (a service
 * that is being started again refuses connections). The limit only says when to stop believing.
 * @throws NeverError
 */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  accept: (seen: T) => boolean,
  limitMs: number = LIMIT_MS,
): Promise<T> {
  const clock = systemClock();
  const end = clock.monotonicMs() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      last = seen;
      if (accept(seen)) return seen;
    } catch (error) {
      last = String(error);
    }
    if (clock.monotonicMs() >= end) throw new NeverError(what, limitMs, last);
    await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve));
  }
}
