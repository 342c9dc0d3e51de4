import { getPriority, setPriority } from "node:os";

/** Before everything else of a box (setpriority(2): -20 to 19, 0 is usual), and behind what the kernel itself needs. */
const LINE_PRIORITY = -15;

/**
 * Puts this process before the box's others: a line that waits for a core loses bus time, and a stop waits with it.
 * Returns the priority it has now; without the right to raise it (CAP_SYS_NICE) that is the one it had.
 */
export function takeLinePriority(): number {
  try {
    setPriority(LINE_PRIORITY);
  } catch {
    // A box without that right works all the same, a little later under load.
  }
  return getPriority();
}
