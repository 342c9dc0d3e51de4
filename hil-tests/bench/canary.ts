import type { WorkerParts } from "./worker-parts.ts";

/** Pause between two beats, ms. */
const BEAT_MS = 2;

/**
 * An idle process that wants to wake up at known times. How late it wakes is the machine's doing, not ours: what is late
 * beside it has an excuse, and only that much.
 */
export function canary({ clock }: WorkerParts) {
  let worstMs = 0;
  const beat = () => {
    const dueMs = clock.monotonicMs() + BEAT_MS;
    clock.after(BEAT_MS, () => {
      worstMs = Math.max(worstMs, clock.monotonicMs() - dueMs);
      beat();
    });
  };
  beat();
  return {
    /** Worst lateness since the last call, ms. */
    worst: () => {
      const seen = worstMs;
      worstMs = 0;
      return seen;
    },
  };
}
