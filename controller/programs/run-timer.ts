import { rfc3339 } from "@servofleet/contracts";
import type { RunEvent } from "./run-state.ts";

/** How long the group may take to come to rest before it is stopped, ms; and the stop before the run ends without. */
export const HALT_LIMIT_MS = 5000;
/** A motion that waits for a person's word does not wait for ever, ms. */
export const OFFER_LIMIT_MS = 600_000;
/** A paused run keeps its axes from others, so not for longer than a shift, ms. */
export const PAUSE_LIMIT_MS = 8 * 3_600_000;

/** A timer as an event: what it is for is its token. */
export const timerSet = (token: string, afterMs: number, nowUs: number): RunEvent => ({
  type: "RunTimerSet",
  data: { token, afterMs, dueAt: rfc3339(nowUs + Math.round(afterMs * 1000)) },
});
