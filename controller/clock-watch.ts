import { type BoxId, boxStream } from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { Logger } from "./controller-parts.ts";
import type { Journal } from "./inbox/journal.ts";

const LOOK_EVERY_MS = 1000;
/** NTP slews below this; more is a step that a reader of times has to know of. */
const STEP_MIN_US = 250_000;

/** Notices when the wall clock is set. Nothing here depends on it; those who read recorded times do. */
export function watchClock(box: BoxId, clock: Clock, journal: Journal, logger: Logger): Timer {
  let offsetUs = clock.wallUs() - clock.monotonicMs() * 1000;
  return clock.every(LOOK_EVERY_MS, () => {
    const toUs = clock.wallUs();
    const found = toUs - clock.monotonicMs() * 1000;
    const steppedUs = found - offsetUs;
    // A slew is followed, so that days of it never look like a step.
    offsetUs = found;
    if (Math.abs(steppedUs) < STEP_MIN_US) return;
    const fromUs = Math.round(toUs - steppedUs);
    logger.warn({ fromUs, toUs }, "the wall clock was set");
    journal
      .record([{ stream: boxStream(box), events: [{ type: "ClockStepped", data: { fromUs, toUs } }] }])
      .catch((error: unknown) => logger.error({ error }, "a step of the wall clock could not be recorded"));
  });
}
