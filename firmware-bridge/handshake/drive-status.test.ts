import { expect, test } from "vitest";
import { loadProfile } from "../profile/load-profile.ts";
import { MotionUnits } from "../profile/motion-units.ts";
import { cia402Facts, cia402State, homingPhase } from "./cia402-status.ts";
import { pathTableFacts, triggerPhase } from "./path-table-status.ts";

const leadshine = new MotionUnits(loadProfile("leadshine-icl-rs").data.motion, 10_000);
const mitsubishi = new MotionUnits(loadProfile("mitsubishi-mr-je-c").data.motion, null);
const memory = { mode: 1, homed: false, halted: false, commanded: true };

test("of the 128 patterns of bits 0 to 6, 104 are no state", () => {
  const states = Array.from({ length: 128 }, (_, word) => cia402State(word));
  expect(states.filter((state) => state === "unknown")).toHaveLength(104);
});

test("states are decoded with masks, whatever the high byte says", () => {
  const words = {
    1600: "switch-on-disabled",
    1569: "ready-to-switch-on",
    1571: "switched-on",
    5671: "operation-enabled",
    8712: "fault",
  };
  for (const [word, state] of Object.entries(words)) expect(cia402State(Number(word))).toBe(state);
});

test("homing is told by bits 13, 12 and 10 together", () => {
  const phases = [0x0000, 0x0400, 0x1000, 0x1400, 0x2000, 0x2400].map(homingPhase);
  expect(phases).toEqual(["running", "none", "running", "attained", "failed", "failed"]);
});

test("a pattern that matches no state leaves everything but the measured values unknown", () => {
  const values = new Map([
    ["statusword", 0x0001],
    ["actualPosition", 5],
  ]);
  expect(cia402Facts(values, mitsubishi, memory, 500)).toMatchObject({
    enabled: null,
    moving: null,
    fault: null,
    busy: null,
    positionCounts: 5,
  });
});

test("what was not read is unknown, not false", () => {
  expect(pathTableFacts(new Map(), leadshine, true)).toMatchObject({
    enabled: null,
    moving: null,
    fault: null,
    homed: null,
    positionCounts: null,
  });
});

test("the read-back of the trigger says where a command stands", () => {
  const phases = [0x000, 0x003, 0x010, 0x01f, 0x020, 0x040, 0x100, 0x10f, 0x200, 0x203, 0x999].map(triggerPhase);
  expect(phases).toEqual([
    "ready",
    "ready",
    "not-taken",
    "not-taken",
    "not-taken",
    "stopping",
    "running",
    "running",
    "positioning",
    "following-error",
    "unknown",
  ]);
});

test("a command that is not taken yet keeps the drive busy although its completion bits are still the last command's", () => {
  const values = new Map([
    ["status", 0x0032],
    ["trigger", 0x010],
  ]);
  expect(pathTableFacts(values, leadshine, true)).toMatchObject({ busy: true, complete: true, moving: false });
});

test("a stop word that sticks in the read-back does not keep the drive busy", () => {
  const values = new Map([
    ["status", 0x0002],
    ["trigger", 0x040],
  ]);
  expect(pathTableFacts(values, leadshine, true).busy).toBe(false);
  expect(pathTableFacts(values, leadshine, false).busy).toBe(true);
});

test("a small negative speed is read as one signed value of two words", () => {
  const profile = loadProfile("leadshine-icl-rs");
  const values = profile.values(["actualVelocity"], [0xffff, 0xffff]);
  expect(pathTableFacts(values, leadshine, true).velocityCountsPerS).toBeCloseTo(-10_000 / 60);
});
