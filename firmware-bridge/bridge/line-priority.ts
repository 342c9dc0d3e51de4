import { execFileSync } from "node:child_process";
import { availableParallelism, getPriority, setPriority } from "node:os";

/** Before everything else of a box (setpriority(2): -20 to 19, 0 is usual), and behind what the kernel itself needs. */
const LINE_PRIORITY = -15;
/**
 * The lowest of the real-time priorities (sched(7)): enough to run before every usual process, and behind drivers. The
 * threads that help the main one have the lower of the two: it waits for the collectors of garbage among them, which would
 * starve on a busy box, and it goes first.
 */
const MAIN_PRIORITY = 2;
const HELPERS_PRIORITY = 1;
const CHRT_LIMIT_MS = 2000;

/** Where a process with lines stands among the others. */
export interface LinePriority {
  /** As in setpriority(2). */
  readonly nice: number;
  /** Whether its threads run as soon as they have something to do, whatever else the cores are busy with. */
  readonly realTime: boolean;
}

/**
 * Puts this process before the box's others: a line that waits for a core loses bus time, and a stop waits with it. A usual
 * process, however nice, lets the one that has the core finish its slice of some milliseconds first; a real-time one does
 * not. Without the right to it (CAP_SYS_NICE), or without `chrt`, it keeps the place it had: a box works all the same, a
 * little later under load. With one core it stays usual as well: bound to one, a main thread was seen to take all of it for
 * minutes while the compilers and collectors among its helpers waited, and the kernel to take 50 ms of every second from it
 * (sched(7), RT throttling): longer than a stop may wait.
 */
export function takeLinePriority(): LinePriority {
  const tried = (take: () => void): boolean => {
    try {
      take();
      return true;
    } catch {
      return false;
    }
  };
  tried(() => setPriority(LINE_PRIORITY));
  // What it starts later, above all libuv's pool, is usual again.
  const chrt = (priority: number, ...which: string[]) =>
    execFileSync("chrt", ["--reset-on-fork", "--fifo", ...which, "--pid", String(priority), String(process.pid)], {
      stdio: "ignore",
      timeout: CHRT_LIMIT_MS,
    });
  const realTime =
    availableParallelism() > 1 &&
    tried(() => chrt(HELPERS_PRIORITY, "--all-tasks")) &&
    tried(() => chrt(MAIN_PRIORITY));
  return { nice: getPriority(), realTime };
}
