import fc from "fast-check";
import { expect, test } from "vitest";
import type { PlantConfig } from "./motor.ts";
import type { MrJeCQuirks } from "./mr-je-c-cycle.ts";
import { MrJeCDrive } from "./mr-je-c-drive.ts";
import { DriveBench } from "./testing/drive-bench.ts";

const CW = 0x6040;
const SW = 0x6041;
const ACTUAL = 0x6064;
const TARGET = 0x607a;

function bench(plant: Partial<PlantConfig> = {}, quirks: Partial<MrJeCQuirks> = {}) {
  return new DriveBench(new MrJeCDrive("z", 255, plant, quirks), true);
}

function enabled(plant: Partial<PlantConfig> = {}, quirks: Partial<MrJeCQuirks> = {}) {
  const b = bench(plant, quirks);
  for (const word of [0x06, 0x07, 0x0f]) {
    b.write(CW, word);
    b.run(5);
  }
  return b;
}

function setMode(b: DriveBench, mode: number) {
  b.write(0x6060, mode);
  return b.until(() => b.read1(0x6061) === (mode & 0xffff), 1000);
}

const sw = (b: DriveBench, bit: number) => (b.read1(SW) >> bit) & 1;
const state = (b: DriveBench) => b.read1(SW) & 0x6f;

/** Bit 4 up, acknowledge, bit 4 down; bits 5 and 6 as given. */
function start(b: DriveBench, target: number, bits = 0) {
  b.write32(TARGET, target);
  b.write(CW, 0x1f | bits);
  const acknowledged = b.until(() => sw(b, 12) === 1, 100);
  b.write(CW, 0x0f | bits);
  return acknowledged && b.until(() => sw(b, 12) === 0, 100);
}

const arrive = (b: DriveBench) => b.until(() => sw(b, 10) === 1);

test("the enabling sequence walks through the CiA 402 states", () => {
  const b = bench();
  const seen = [b.read1(SW)];
  for (const word of [0x06, 0x07, 0x0f]) {
    b.write(CW, word);
    b.run(5);
    seen.push(b.read1(SW));
  }
  expect(seen.map((word) => word & 0x6f)).toEqual([0x40, 0x21, 0x23, 0x27]);
  expect(seen.every((word) => (word & 0x210) === 0x210)).toBe(true);
});

test("switch on and enable in one word takes two cycles, and enable alone never leaves Switch on disabled", () => {
  const b = bench();
  b.write(CW, 0x0f);
  b.run(20);
  expect(state(b) & 0x4f).toBe(0x40);
  b.write(CW, 0x06);
  b.run(5);
  b.write(CW, 0x0f);
  expect(state(b)).toBe(0x23);
  b.run(5);
  expect(state(b)).toBe(0x27);
});

test("an acknowledge falls with the start bit also when the axis is where it was sent long before", () => {
  const b = enabled();
  b.write32(TARGET, 0);
  b.write(CW, 0x1f);
  b.run(500);
  expect([sw(b, 10), sw(b, 12)]).toEqual([1, 1]);
  b.write(CW, 0x0f);
  b.run(5);
  expect([sw(b, 10), sw(b, 12)]).toEqual([1, 0]);
});

test("a set-point shows stale target reached, then acknowledge, then the new target reached", () => {
  const b = enabled();
  b.write32(TARGET, 200_000);
  expect([sw(b, 10), sw(b, 12)]).toEqual([1, 0]);
  b.write(CW, 0x1f);
  expect([sw(b, 10), sw(b, 12)]).toEqual([1, 0]);
  b.run(5);
  expect([sw(b, 10), sw(b, 12)]).toEqual([0, 1]);
  b.write(CW, 0x0f);
  b.run(1);
  expect([sw(b, 10), sw(b, 12)]).toEqual([0, 0]);
  expect(arrive(b)).toBe(true);
  expect(Math.abs(b.read32(ACTUAL) - 200_000)).toBeLessThanOrEqual(100);
});

test("without an edge of bit 4 a new target moves nothing", () => {
  const b = enabled();
  start(b, 1000);
  arrive(b);
  b.write32(TARGET, 90_000);
  b.write(CW, 0x0f);
  b.run(1000);
  expect(b.read32(ACTUAL)).toBe(1000);
});

test("any target is reached, absolute and relative, to the count", () => {
  fc.assert(
    fc.property(fc.integer({ min: -3e6, max: 3e6 }), fc.integer({ min: -1e5, max: 1e5 }), (target, way) => {
      const b = enabled();
      expect(start(b, target)).toBe(true);
      expect(arrive(b)).toBe(true);
      b.run(300);
      expect(start(b, way, 0x40)).toBe(true);
      expect(arrive(b)).toBe(true);
      b.run(300);
      expect(b.read32(ACTUAL)).toBe(target + way);
    }),
    { numRuns: 20 },
  );
});

test("a second set-point waits for the first, unless bit 5 asks for it at once", () => {
  const queued = enabled();
  start(queued, 400_000);
  queued.write32(TARGET, 0);
  queued.write(CW, 0x1f);
  queued.run(10);
  expect(sw(queued, 12)).toBe(1);
  queued.run(300);
  expect(queued.read32(0x606c)).toBeGreaterThan(0);

  const atOnce = enabled();
  start(atOnce, 400_000);
  atOnce.run(100);
  start(atOnce, -400_000, 0x20);
  atOnce.run(600);
  expect(atOnce.read32(0x606c)).toBeLessThan(0);
});

test("the mode is in force only when 6061 shows it, and it waits for standstill", () => {
  const b = enabled();
  b.write(0x6060, 3);
  expect(b.read1(0x6061)).toBe(1);
  b.run(15);
  expect(b.read1(0x6061)).toBe(3);
  setMode(b, 1);
  start(b, 300_000);
  b.write(0x6060, 6);
  b.run(50);
  expect(b.read1(0x6061)).toBe(1);
  arrive(b);
  b.run(50);
  expect(b.read1(0x6061)).toBe(6);
});

test("profile velocity turns until it is told otherwise, and speed zero shows in bit 12", () => {
  const b = enabled();
  setMode(b, 3);
  expect(sw(b, 12)).toBe(1);
  b.write32(0x60ff, 200_000);
  b.run(1000);
  expect([sw(b, 10), sw(b, 12)]).toEqual([1, 0]);
  expect(Math.abs(b.read32(0x606c) - 200_000)).toBeLessThan(2000);
  b.write32(0x60ff, 0);
  b.run(1000);
  expect(sw(b, 12)).toBe(1);
});

test("halt stops with bit 10 for standstill, and clearing it goes on to the old target", () => {
  const b = enabled();
  start(b, 800_000);
  b.run(200);
  b.write(CW, 0x10f);
  b.run(1);
  expect(sw(b, 10)).toBe(0);
  b.run(1000);
  expect(sw(b, 10)).toBe(1);
  const halted = b.read32(ACTUAL);
  expect(halted).toBeLessThan(700_000);
  b.write(CW, 0x0f);
  arrive(b);
  b.run(300);
  expect(b.read32(ACTUAL)).toBe(800_000);
  expect(b.kinds()).toEqual(["enable", "start-absolute", "halt", "start-absolute"]);
});

test("a quick stop in the word that ends a halt lets nothing go on", () => {
  const b = enabled();
  start(b, 800_000);
  b.run(200);
  b.write(CW, 0x10f);
  b.run(1000);
  const halted = b.read32(ACTUAL);
  b.write(CW, 0x02);
  b.run(1000);
  expect(b.read32(ACTUAL)).toBe(halted);
  expect(b.kinds()).toEqual(["enable", "start-absolute", "halt", "stop"]);
});

test("a drive that forgets the target at halt is a switch", () => {
  const b = enabled({}, { haltResumes: false });
  start(b, 800_000);
  b.run(200);
  b.write(CW, 0x10f);
  b.run(1000);
  const halted = b.read32(ACTUAL);
  b.write(CW, 0x0f);
  b.run(2000);
  expect(b.read32(ACTUAL)).toBe(halted);
});

test.each([
  [2, 0x40, 0x4f],
  [6, 0x07, 0x6f],
])("quick stop with option %i ends in its own state and moves no further", (option, pattern, mask) => {
  const b = enabled();
  b.write(0x605a, option);
  start(b, 800_000);
  b.run(200);
  b.write(CW, 0x02);
  expect(state(b)).toBe(0x07);
  b.run(1000);
  expect(b.read1(SW) & mask).toBe(pattern);
  const stopped = b.read32(ACTUAL);
  b.write(CW, 0x0f);
  b.run(1000);
  expect(b.read32(ACTUAL)).toBe(stopped);
  expect(b.kinds().filter((kind) => kind.startsWith("start"))).toHaveLength(1);
});

test.each([17, 18, 19, 21, 23, 27, 33, 34, 35, 37])("homing method %i ends with 0x1400", (method) => {
  const b = enabled();
  setMode(b, 6);
  b.write(0x6098, method);
  b.write32(0x607c, 777);
  expect(b.read1(SW) & 0x3400).toBe(0x0400);
  b.write(CW, 0x1f);
  expect(b.until(() => (b.read1(SW) & 0x3400) === 0x1400, 120_000)).toBe(true);
  b.run(300);
  // Creeping at a quarter turn per second, the axis still runs past the edge a little while it brakes.
  expect(Math.abs(b.read32(ACTUAL) - 777)).toBeLessThan(5000);
});

test("homing shows 0 while it runs, and letting bit 4 go aborts it as 0x0400", () => {
  const b = enabled();
  setMode(b, 6);
  b.write(0x6098, 21);
  b.write(CW, 0x1f);
  b.run(300);
  expect(b.read1(SW) & 0x3400).toBe(0);
  b.write(CW, 0x0f);
  b.run(1000);
  expect(b.read1(SW) & 0x3400).toBe(0x0400);
  expect(b.kinds()).toEqual(["enable", "home", "stop"]);
});

test("homing ends as 0x2400 when the switch never comes", () => {
  const b = enabled();
  b.drive.motor.homeSwitchDead = true;
  setMode(b, 6);
  b.write(0x6098, 27);
  b.write(0x6099, 2, 0, 8, 0, 1);
  b.write(CW, 0x1f);
  expect(b.until(() => (b.read1(SW) & 0x3400) === 0x2400, 120_000)).toBe(true);
});

test("a method the drive does not have is a homing error at once", () => {
  const b = enabled();
  setMode(b, 6);
  b.write(0x6098, 99);
  b.write(CW, 0x1f);
  expect(b.read1(SW) & 0x3400).toBe(0x2400);
});

test("a blocked shaft ends in Fault with 0x8611, and only a rising bit 7 leaves it", () => {
  const b = enabled();
  start(b, 3_000_000);
  b.run(200);
  b.drive.motor.blocked = true;
  expect(b.until(() => (b.read1(SW) & 0x4f) === 0x0f, 3000)).toBe(true);
  expect(b.until(() => (b.read1(SW) & 0x4f) === 0x08, 3000)).toBe(true);
  expect([b.read1(0x603f), b.read1(0x1001)]).toEqual([0x8611, 1]);
  expect(b.drive.motor.powered).toBe(false);
  b.drive.motor.blocked = false;
  b.write(CW, 0x0f);
  b.run(20);
  expect(b.read1(SW) & 0x4f).toBe(0x08);
  b.write(CW, 0x80);
  expect(b.read1(SW) & 0x4f).toBe(0x40);
  expect([b.read1(0x603f), b.read1(0x1001)]).toEqual([0, 0]);
});

test("a following-error window of 0xFFFFFFFF never trips", () => {
  const b = enabled();
  b.write32(0x6065, -1);
  b.drive.motor.blocked = true;
  start(b, 3_000_000);
  b.run(3000);
  expect(state(b)).toBe(0x27);
  expect(b.read32(0x60f4)).toBeGreaterThan(1_000_000);
});

test("a target beyond the soft limits goes to the limit and says so in bit 11", () => {
  const b = enabled();
  expect(b.write(0x607d, 2, 0xd8f0, 0xffff, 10_000, 0)).toBe(0);
  expect(b.read(0x607d, 5)).toEqual([2, 0xd8f0, 0xffff, 10_000, 0]);
  start(b, 500_000);
  arrive(b);
  b.run(300);
  expect(b.read32(ACTUAL)).toBe(10_000);
  expect(sw(b, 11)).toBe(1);
});

test("a point table is run by 2D60 and an edge of bit 4", () => {
  const b = enabled();
  b.write(0x2803, 7, 20_000, 1, 0, 8, ...Array(10).fill(0));
  b.write(0x2d60, 3);
  setMode(b, -101);
  b.write(CW, 0x1f);
  b.until(() => b.read1(0x2d69) === 3);
  expect(Math.abs(b.read32(ACTUAL) - (65_536 + 20_000))).toBeLessThanOrEqual(100);
});

test("32-bit values come low word first", () => {
  const b = enabled();
  start(b, 0x1_2345);
  arrive(b);
  b.run(300);
  expect(b.read(ACTUAL, 2)).toEqual([0x2345, 0x0001]);
});

test.each([
  ["function 06", "06 6040 000F", "8601"],
  ["function 04", "04 6041 0001", "8401"],
  ["a run with no readable register", "03 7000 0004", "8302"],
  ["a run with no writable register", "10 6041 0001 02 0000", "9002"],
  ["half of a 4-byte object", "10 607A 0001 02 0001", "9003"],
  ["a mode the drive does not have", "10 6060 0001 02 0007", "9003"],
  ["the wrong entry count of an array", "10 607D 0005 0A 0003 0000 0000 0000 0000", "9003"],
])("%s is refused", (_, request, reply) => {
  expect(bench().ask(request)).toBe(reply);
});

test("one readable register saves a run, and the unreadable ones read 0", () => {
  expect(bench().read(0x603f, 5)).toEqual([0, 0, 0x0250, 0, 0]);
});

test("one writable register saves a run, and the read-only one is left as it is", () => {
  const b = bench();
  expect(b.write(CW, 0x06, 0xffff)).toBe(0);
  expect(state(b)).toBe(0x21);
});

test("function 08 echoes its query", () => {
  expect(bench().ask("08 0000 A537")).toBe("080000a537");
});

test("a power cycle is silent, forgets what was not saved, and comes back disabled", () => {
  const b = enabled();
  b.write32(0x6081, 1111);
  b.write(0x1010, 1, 0x6173, 0x6576);
  b.write32(0x6083, 2222);
  start(b, 50_000);
  b.run(100);
  b.drive.powerCycle();
  expect(b.drive.answering).toBe(false);
  b.run(600);
  expect([b.read32(0x6081), b.read32(0x6083)]).toEqual([1111, 6_553_600]);
  expect(b.read1(SW) & 0x4f).toBe(0x40);
  const rest = b.drive.motor.position;
  b.run(1000);
  expect(b.drive.motor.position).toBe(rest);
});

test("torque rises with acceleration and with load", () => {
  const b = enabled({ load: 20 });
  b.run(100);
  expect(b.read1(0x6077)).toBe(200);
  start(b, 3_000_000);
  b.run(50);
  expect(b.read1(0x6077)).toBeGreaterThan(300);
});
