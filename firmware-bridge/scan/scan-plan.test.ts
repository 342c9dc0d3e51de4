import { join } from "node:path";
import type { LinkConfig } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { withCrc } from "../modbus/crc16.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { identificationRequest, readIdentification } from "./device-identification.ts";
import { fleetFragment } from "./fleet-fragment.ts";
import { speaks } from "./identify-unit.ts";
import type { FoundUnit } from "./scan-line.ts";
import { defaultUnits, type LineSetting, scanPlan, settingWords, unitTrouble } from "./scan-plan.ts";

const link = {
  id: "line_a",
  kind: "modbus-rtu",
  port: "/dev/ttyUSB0",
  baud: 38_400,
  parity: "even",
  stopBits: 1,
  stopWaitMaxMs: 50,
} as LinkConfig;
const own: LineSetting = { baud: 38_400, parity: "even", stopBits: 1 };

test("the configured setting is asked first, and others only where somebody wants every speed", () => {
  expect(scanPlan(link, { units: [1], everySpeed: false }).settings).toEqual([own]);
  const words = scanPlan(link, { units: [1], everySpeed: true }).settings.map(settingWords);
  expect(words[0]).toBe("38400 8E1");
  expect(words).toHaveLength(18);
  expect(new Set(words).size).toBe(18);
});

test("a slow setting waits longer for an answer and leaves a longer silence", () => {
  const plan = scanPlan(link, { units: [1], everySpeed: true });
  const slow: LineSetting = { baud: 9600, parity: "even", stopBits: 1 };
  expect(plan.waitMs(slow)).toBeGreaterThan(plan.waitMs(own) + 40);
  expect(plan.pauseMs(slow)).toBeGreaterThanOrEqual(5);
});

test("broadcast addresses are never asked", () => {
  for (const kind of ["modbus-rtu", "modbus-tcp", "dynamixel", "feetech"] as const)
    for (const unit of defaultUnits(kind)) expect(unitTrouble(kind, unit)).toBeNull();
  expect(unitTrouble("modbus-rtu", 0)).toContain("1 to 247");
  expect(unitTrouble("dynamixel", 254)).toContain("0 to 252");
});

test("servo profiles are asked on servo buses only, register profiles on Modbus only", () => {
  expect(speaks(loadProfile("dynamixel-x"), "dynamixel")).toBe(true);
  expect(speaks(loadProfile("dynamixel-x"), "modbus-rtu")).toBe(false);
  expect(speaks(loadProfile("oriental-az"), "modbus-tcp")).toBe(true);
  expect(speaks(loadProfile("oriental-az"), "feetech")).toBe(false);
});

test("device identification is read whole, refused, or not there yet; control characters stay out", () => {
  const text = (id: number, words: string) => [id, words.length, ...Buffer.from(words)];
  const body = Uint8Array.from([7, 0x2b, 0x0e, 1, 1, 0, 0, 2, ...text(0, "Example"), ...text(1, "D\u001b1")]);
  const frame = withCrc(body);
  expect(readIdentification(frame, 7, true)).toEqual({ vendor: "Example", product: "D?1", revision: null });
  expect(readIdentification(frame.subarray(0, -1), 7, true)).toBeUndefined();
  expect(readIdentification(frame, 8, true)).toBeUndefined();
  expect(readIdentification(Uint8Array.of(7, 0xab, 1), 7, false)).toBeNull();
  expect([...identificationRequest(7)]).toEqual([7, 0x2b, 0x0e, 1, 0]);
});

test("the fragment takes the setting most units answer at and leaves the others as remarks", () => {
  const found = (unit: number, setting: LineSetting, profile?: string): FoundUnit => ({
    unit,
    setting,
    matches: profile ? [{ profile, identity: 10_000, certain: false }] : [],
    model: null,
    device: null,
  });
  const slow: LineSetting = { baud: 9600, parity: "none", stopBits: 1 };
  const az = loadProfile("oriental-az");
  const units = [found(1, own, "oriental-az"), found(2, own), found(9, slow, "oriental-az")];
  const text = fleetFragment(link, units, [az]);
  expect(text).toContain("baud: 38400, parity: even");
  expect(text).toContain("profile: oriental-az # look at the type plate");
  expect(text).toContain("method: -1");
  expect(text).toContain("# unit 2 answers, but no profile fits");
  expect(text).toContain("# unit 9 answers at 9600 8N1: set it to the line's speed first");
  expect(text.match(/- id: /g)).toHaveLength(1);
  const example = loadProfile(join(import.meta.dirname, "..", "..", "docs", "example-drive.json"));
  const mine = fleetFragment(link, [found(7, slow, example.name)], [example], () => "./mine.json");
  expect(mine).toContain("profile: ./mine.json # look");
  expect(mine).toContain("homing: { required: false, velocity: 1 }");
});
