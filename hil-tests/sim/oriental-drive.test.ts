import { expect, test } from "vitest";
import type { PlantConfig } from "./motor.ts";
import { OrientalDrive } from "./oriental-drive.ts";
import type { OrientalQuirks } from "./oriental-motion.ts";
import { DriveBench } from "./testing/drive-bench.ts";

const INPUT = 0x007d;
const OUTPUT = 0x007f;
const READY = 1 << 5;
const ALARM = 1 << 7;
const MOVE = 1 << 13;
const IN_POSITION = 1 << 14;

const bench = (plant: Partial<PlantConfig> = {}, quirks: Partial<OrientalQuirks> = {}) =>
  new DriveBench(new OrientalDrive("a", 1, plant, quirks), false);
const pair = (value: number) => [(value >> 16) & 0xffff, value & 0xffff];
const direct = (b: DriveBench, position: number, type = 1, speed = 20_000, rate = 400_000, trigger = 1) =>
  b.write(0x0058, ...[0, type, position, speed, rate, rate, 1000, trigger].flatMap(pair));
const has = (b: DriveBench, bit: number) => (b.read1(OUTPUT) & bit) !== 0;
const rest = (b: DriveBench) => b.until(() => !has(b, MOVE));

test("sixteen registers that end in trigger 1 start at once; MOVE, READY and IN-POS follow", () => {
  const b = bench();
  expect(has(b, READY)).toBe(true);
  expect(direct(b, 8500)).toBe(0);
  expect([has(b, MOVE), has(b, READY), has(b, IN_POSITION)]).toEqual([true, false, false]);
  expect(rest(b)).toBe(true);
  expect(b.until(() => has(b, IN_POSITION), 200)).toBe(true);
  b.run(200);
  expect(b.read32(0x00cc)).toBe(8500);
  expect(b.kinds()).toEqual(["start-absolute"]);
});

test("incremental types count from the command or from the feedback position", () => {
  const b = bench();
  direct(b, 1000);
  rest(b);
  direct(b, 500, 2);
  rest(b);
  expect(b.read32(0x00c6)).toBe(1500);
  expect(b.kinds()).toEqual(["start-absolute", "start-relative"]);
});

test("a negative trigger starts with the write of its own field and of no other", () => {
  const b = bench();
  direct(b, 0, 1, 20_000, 400_000, -5);
  b.write32(0x005e, 10_000);
  expect(has(b, MOVE)).toBe(false);
  b.write32(0x005c, 2000);
  expect(has(b, MOVE)).toBe(true);
});

test("a level that stays on does not act twice: off and on again does", () => {
  const b = bench({ startAt: 5000 });
  b.write(INPUT, 1 << 4);
  rest(b);
  b.drive.motor.push(3000);
  b.write(INPUT, 1 << 4);
  expect(b.kinds()).toEqual(["home"]);
  b.write(INPUT, 0);
  b.write(INPUT, 1 << 4);
  expect(b.kinds()).toEqual(["home", "home"]);
});

test("while STOP is on nothing starts, and a running move decelerates with its own rate", () => {
  const b = bench();
  direct(b, 200_000);
  b.run(300);
  b.write(INPUT, 1 << 5);
  expect(rest(b)).toBe(true);
  const at = b.read32(0x00c6);
  expect(has(b, READY)).toBe(false);
  direct(b, 0);
  expect(has(b, MOVE)).toBe(false);
  b.write(INPUT, 0);
  expect(b.read32(0x00c6)).toBe(at);
  expect(b.kinds()).toEqual(["start-absolute", "stop", "start-absolute (ignored)"]);
});

test("a shaft that is held trips alarm 10h; it goes with the rising edge of ALM-RST and moves nothing", () => {
  const b = bench();
  b.drive.motor.blocked = true;
  direct(b, 50_000);
  expect(b.until(() => has(b, ALARM))).toBe(true);
  expect(b.read32(0x0080)).toBe(0x10);
  b.drive.motor.blocked = false;
  b.write(INPUT, 1 << 7);
  expect([has(b, ALARM), has(b, MOVE)]).toEqual([false, false]);
  expect(b.kinds()).toEqual(["start-absolute", "reset"]);
});

test("FREE takes the current and a start is ignored until it comes back", () => {
  const b = bench();
  b.write(INPUT, 1 << 6);
  direct(b, 1000);
  b.write(INPUT, 0);
  expect(b.kinds()).toEqual(["disable", "start-absolute (ignored)", "enable"]);
});

test("out of range is exception 03, an unknown address 02, a busy memory 04, an unknown function 01", () => {
  const b = bench();
  expect(b.write32(0x0064, 1001)).toBe(3);
  expect(b.write32(0x3000, 1)).toBe(2);
  expect(b.write32(0x0400, 5)).toBe(0);
  expect(b.write32(0x0400, 6)).toBe(4);
  b.run(20);
  expect(b.write32(0x0400, 6)).toBe(0);
  expect(b.ask("04 00CC 0002")).toBe("8401");
});

test("damaged frames are a warning first, which the next good one clears, and an alarm after three in a row", () => {
  const drive = new OrientalDrive("a", 1);
  const b = new DriveBench(drive, false);
  drive.damagedFrame();
  expect(drive.state().alarm).toBe(0);
  b.read1(OUTPUT);
  for (let n = 0; n < 3; n++) drive.damagedFrame();
  expect(drive.state().alarm).toBe(0x84);
});

test("with a communication time-out set silence trips alarm 85h under way; by default it keeps running", () => {
  const watched = bench({}, { communicationTimeoutMs: 200 });
  const left = bench();
  for (const b of [watched, left]) {
    direct(b, 0, 7, 20_000);
    b.run(500);
  }
  expect(watched.drive.state().alarm).toBe(0x85);
  expect(left.drive.state()).toMatchObject({ alarm: 0, moving: true });
});

test("a power cycle keeps the absolute position and the stored data, and forgets levels, direct data and the alarm", () => {
  const b = bench();
  direct(b, 3000);
  rest(b);
  b.run(200);
  b.write32(0x0402, 777);
  b.write(INPUT, 1 << 6);
  b.drive.powerCycle();
  expect(b.drive.answering).toBe(false);
  b.run(600);
  expect([b.read32(0x00cc), b.read32(0x0402), b.read1(INPUT), b.read32(0x005c)]).toEqual([3000, 777, 0, 0]);
});
