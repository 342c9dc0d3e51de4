import { expect, test } from "vitest";
import { ControllerWatch } from "./controller-watch.ts";

const BEAT = { epoch: 1, seq: 1, reportsSeen: 0, bridgeBoot: null };

/** Looks every 50 ms from `fromMs` on; the time of the first look that finds the controller lost. */
function lostAt(watch: ControllerWatch, fromMs: number, untilMs: number, stepMs = 50): number | null {
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += stepMs) if (watch.isLost(nowMs)) return nowMs;
  return null;
}

test("a controller that is silent for longer than half a second is lost, until it is heard again", () => {
  const watch = new ControllerWatch(0);
  watch.heard(BEAT, 0);
  expect(lostAt(watch, 50, 500)).toBeNull();
  expect(lostAt(watch, 550, 600)).toBe(550);
  watch.heard(BEAT, 620);
  expect(lostAt(watch, 650, 1100)).toBeNull();
});

test("a bridge that slept hears the beats that waited for it before it judges", () => {
  const watch = new ControllerWatch(0);
  watch.heard(BEAT, 0);
  expect(watch.isLost(3000)).toBe(false);
  watch.heard(BEAT, 3001);
  expect(lostAt(watch, 3050, 3500)).toBeNull();
});

test("a bridge that slept beside a dead controller judges at its next look, also when it always sleeps", () => {
  const watch = new ControllerWatch(0);
  watch.heard(BEAT, 0);
  expect(lostAt(watch, 3000, 3200)).toBe(3050);
  const drowsy = new ControllerWatch(0);
  drowsy.heard(BEAT, 0);
  expect(lostAt(drowsy, 1000, 9000, 1000)).toBe(2000);
  const closed = new ControllerWatch(0);
  closed.gone();
  expect(closed.isLost(3000)).toBe(true);
});
