import type { AxisView } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { nextStep } from "./ready-bench.ts";

const axis = (more: Partial<AxisView>): AxisView =>
  ({ state: "standstill", stopLatched: false, homed: false, reconcileRequired: false, ...more }) as AxisView;

test.each<[Partial<AxisView>, "ready" | "enabled" | "disabled", string | undefined]>([
  [{ state: "offline" }, "ready", undefined],
  [{ reconcileRequired: true, stopLatched: true }, "ready", "reconcile"],
  [{ state: "error-stop" }, "ready", "Reset"],
  [{ state: "disabled", stopLatched: true }, "disabled", "Reset"],
  [{ state: "disabled" }, "disabled", undefined],
  [{ state: "standstill" }, "disabled", "Disable"],
  [{ state: "disabled" }, "ready", "Enable"],
  [{ state: "standstill" }, "ready", "Home"],
  [{ state: "standstill" }, "enabled", undefined],
  [{ state: "standstill", homed: true }, "ready", undefined],
  [{ state: "stopping" }, "ready", undefined],
  [{ state: "homing" }, "ready", undefined],
])("%j that shall be %s next gets %s", (more, start, step) => {
  expect(nextStep(axis(more), start, true)).toBe(step);
});

test("an axis that needs no homing gets none", () => {
  expect(nextStep(axis({}), "ready", false)).toBeUndefined();
});
