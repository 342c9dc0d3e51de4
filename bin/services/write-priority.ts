import { getPriority, setPriority } from "node:os";

/** Behind the lines' process and before the read side and the gateway (setpriority(2): -20 to 19, 0 is usual). */
const WRITE_PRIORITY = -10;

/**
 * Puts this process before those that only ask: between a commit and its order it needs a core for a moment, just when the
 * commit wakes every reader of the log. Call it before the pool is used, so that the threads that write the log, started
 * with their first work, stand there too. Without the right to it (CAP_SYS_NICE) it keeps the place it had. Returns where it
 * stands.
 */
export function takeWritePriority(): number {
  try {
    setPriority(WRITE_PRIORITY);
  } catch {
    // A box works all the same, a little later under load.
  }
  return getPriority();
}
