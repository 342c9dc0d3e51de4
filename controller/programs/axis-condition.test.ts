import type { AxisId, AxisStatus } from "@servofleet/contracts";
import { expect, it } from "vitest";
import { initialAxis } from "../domain/axis-state.ts";
import { testFleet } from "../testing/controller-rig.ts";
import { axisFacts, holds } from "./axis-condition.ts";

const [config] = testFleet().axes;
if (!config) throw new Error("the test fleet has an axis");
const axis = { ...initialAxis(config), offlineReason: null, state: "standstill" as const };
const status = { axis: "x1" as AxisId, positionCounts: 1000, atUs: 50 } as AxisStatus;

it("holds when everything it asks is so, and not when something is not known", () => {
  const facts = axisFacts(axis, status);
  expect(facts).toEqual({ state: "standstill", homed: false, position: 10 });
  expect(holds({ axis: "x1", state: "standstill", positionAtLeast: 10, positionAtMost: 10 }, facts)).toBe(true);
  expect(holds({ axis: "x1", homed: true }, facts)).toBe(false);
  expect(holds({ axis: "x1", positionAtMost: 9 }, facts)).toBe(false);
  expect(holds({ axis: "x1", positionAtMost: 9 }, axisFacts(axis, null))).toBe(false);
  expect(holds({ axis: "x1", positionAtLeast: 0 }, axisFacts({ ...axis, offlineReason: "gone" }, status))).toBe(false);
  expect(holds({ axis: "x1", state: "standstill" }, undefined)).toBe(false);
});

it("takes the younger of reading and sample: an old sample says nothing of now", () => {
  expect(axisFacts(axis, status, { counts: 2000, atUs: 60 }).position).toBe(20);
  expect(axisFacts(axis, status, { counts: 2000, atUs: 40 }).position).toBe(10);
});
