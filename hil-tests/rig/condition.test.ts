import type { AxisView, CommandView } from "@servofleet/contracts";
import { expect, test } from "vitest";
import type { DriveView } from "../box/running-box.ts";
import { asksFor, type Look, unmet } from "./condition.ts";
import type { Condition } from "./scenario.ts";
import { benchRig } from "./testing/bench-rig.ts";

const bench = benchRig().axes[0]!;
const axis = {
  state: "standstill",
  stopLatched: false,
  homed: true,
  reconcileRequired: false,
  fault: null,
  measured: { position: 220, quality: "good" },
} as AxisView;
const look: Look = {
  axis,
  drive: { moving: false, enabled: true, alarm: 0 } as DriveView,
  link: undefined,
  command: { state: "failed", problem: { type: "/problems/drive-fault" }, settled: null } as CommandView,
  marked: 200,
};
const missing = (condition: Partial<Condition>, seen: Partial<Look> = {}) =>
  unmet({ axis: "a", ...condition }, { ...look, ...seen }, bench);

test("what holds is not missing", () => {
  expect(
    missing({
      state: "disabled | standstill",
      stopLatched: false,
      homed: true,
      fault: false,
      quality: "good",
      near: "50%",
      moving: false,
      driveMoving: false,
      driveEnabled: true,
      driveAlarm: false,
      command: "move",
      commandState: "failed",
      problem: "following-error | drive-fault",
      settled: false,
    }),
  ).toEqual([]);
});

test.each<[Partial<Condition>, string]>([
  [{ state: "disabled" }, "state is standstill, not disabled"],
  [{ stopLatched: true }, "stopLatched: false, not true"],
  [{ fault: true }, "a fault: false, not true"],
  [{ near: "60%" }, "position is 220, not within 2 mm of 260"],
  [{ nearMark: "before", plus: "10%" }, "position is 220, not within 2 mm of 240"],
  [{ driveMoving: true }, "drive moving: false, not true"],
  [{ commandState: "succeeded" }, "command is failed, not succeeded"],
  [{ link: "up" }, "link: unknown, not up"],
])("%j is said with what was seen", (condition, words) => {
  expect(missing(condition)).toEqual([words]);
});

test("what could not be seen is never met", () => {
  expect(missing({ near: "50%" }, { axis: { ...axis, measured: { ...axis.measured, position: null } } })).toHaveLength(
    1,
  );
  expect(missing({ state: "standstill" }, { axis: undefined })).toHaveLength(1);
  expect(missing({ nearMark: "before" }, { marked: undefined })).toHaveLength(1);
});

test("a look asks only for what its condition speaks of", () => {
  expect(asksFor({ axis: "a", driveMoving: false })).toEqual({ axis: false, drive: true, link: false, command: false });
  expect(asksFor({ axis: "a", homed: false })).toMatchObject({ axis: true, drive: false });
});
