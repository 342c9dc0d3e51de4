import fc from "fast-check";
import { expect, test } from "vitest";
import { LeadshineDrive } from "./leadshine-drive.ts";
import type { LeadshineQuirks } from "./leadshine-motion.ts";
import type { PlantConfig } from "./motor.ts";
import { DriveBench } from "./testing/drive-bench.ts";

const ENABLE = 0x000f;
const TRIGGER = 0x6002;
const STATUS = 0x1003;
const ACTUAL = 0x602c;

function bench(plant: Partial<PlantConfig> = {}, quirks: Partial<LeadshineQuirks> = {}) {
  return new DriveBench(new LeadshineDrive("x", 1, plant, quirks), false);
}

function enabled(plant: Partial<PlantConfig> = {}, quirks: Partial<LeadshineQuirks> = {}) {
  const b = bench(plant, quirks);
  b.write(ENABLE, 1);
  return b;
}

/** Immediate trigger: the whole path in one FC10. */
function move(b: DriveBench, target: number, mode = 1, rpm = 600) {
  return b.write(0x6200, mode, (target >> 16) & 0xffff, target & 0xffff, rpm, 100, 100, 0, 0x10);
}

/** The trigger register says "finished" inside a window; a moment later the shaft has settled to the pulse. */
function arrive(b: DriveBench, finished = 0) {
  const did = b.until(() => b.read1(TRIGGER) === finished);
  b.run(200);
  return did;
}

const home = (b: DriveBench) => {
  b.write(TRIGGER, 0x20);
  return b.until(() => b.read1(TRIGGER) === 0);
};

test("a trigger reads back as not yet taken, running, waiting for positioning, finished", () => {
  const b = enabled();
  move(b, 20_000);
  const seen: number[] = [];
  b.until(() => {
    const word = b.read1(TRIGGER);
    if (seen.at(-1) !== word) seen.push(word);
    return word === 0;
  });
  expect(seen).toEqual([0x010, 0x100, 0x200, 0x000]);
  expect(Math.abs(b.read32(ACTUAL) - 20_000)).toBeLessThanOrEqual(10);
});

test("the status bits drop and rise in step with the trigger register", () => {
  const b = enabled();
  expect(b.read1(STATUS)).toBe(0b0110010);
  move(b, 20_000);
  expect(b.read1(STATUS)).toBe(0b0110010);
  b.run(20);
  expect(b.read1(STATUS)).toBe(0b0000110);
  b.until(() => b.read1(TRIGGER) === 0);
  expect(b.read1(STATUS)).toBe(0b0110010);
});

test("any target within the machine is reached to the pulse, absolute and relative", () => {
  fc.assert(
    fc.property(fc.integer({ min: -15_000, max: 90_000 }), fc.integer({ min: -3000, max: 3000 }), (target, way) => {
      const b = enabled();
      move(b, target, 1, 3000);
      expect(b.until(() => b.read1(TRIGGER) === 0)).toBe(true);
      move(b, way, 0x41, 300);
      expect(b.until(() => b.read1(TRIGGER) === 0)).toBe(true);
      b.run(200);
      expect(b.read32(ACTUAL)).toBe(target + way);
    }),
    { numRuns: 25 },
  );
});

test("the shaft lags behind its demand in motion and not at rest", () => {
  const b = enabled();
  move(b, 50_000);
  b.run(300);
  expect(b.read32(0x1010)).toBeGreaterThan(50);
  expect(b.read32(0x1046)).toBeGreaterThan(550);
  b.until(() => b.read1(TRIGGER) === 0);
  b.run(200);
  expect(b.read32(0x1010)).toBe(0);
});

test("without enable a trigger has no effect, and the record says it was ignored", () => {
  const b = bench();
  move(b, 20_000);
  b.run(500);
  expect(b.read32(ACTUAL)).toBe(0);
  expect(b.kinds()).toEqual(["start-absolute (ignored)"]);
});

test("a path with velocity 0 is taken and never arrives", () => {
  const b = enabled();
  move(b, 20_000, 1, 0);
  b.run(5000);
  expect(b.read1(TRIGGER)).toBe(0x100);
  expect(b.read32(ACTUAL)).toBe(0);
});

test("a velocity path runs on although no master speaks any more", () => {
  const b = enabled();
  move(b, 0, 2, 60);
  b.run(20_000);
  expect(b.read32(ACTUAL)).toBeGreaterThan(190_000);
  expect(b.read32(0x1046)).toBe(60);
});

test("quick stop ends a move on its own ramp and nothing goes on afterwards", () => {
  const b = enabled();
  move(b, 90_000, 1, 1200);
  b.run(300);
  b.write(TRIGGER, 0x40);
  b.run(150);
  const stoppedAt = b.read32(ACTUAL);
  expect(stoppedAt).toBeLessThan(80_000);
  b.run(5000);
  expect(b.read32(ACTUAL)).toBe(stoppedAt);
  expect(b.read1(TRIGGER)).toBe(0);
  expect(b.kinds()).toEqual(["enable", "start-absolute", "stop"]);
});

test("a longer quick-stop ramp in 0x6017 carries further", () => {
  const wayAfterStop = (rampMs: number) => {
    const b = enabled();
    b.write(0x6017, rampMs);
    move(b, 90_000, 1, 600);
    b.run(300);
    const from = b.read32(ACTUAL);
    b.write(TRIGGER, 0x40);
    b.run(2000);
    return b.read32(ACTUAL) - from;
  };
  expect(wayAfterStop(500)).toBeGreaterThan(3 * wayAfterStop(50));
});

test("the stuck read-back after a quick stop is a switch", () => {
  const b = enabled({}, { stopReadbackSticks: true });
  move(b, 90_000);
  b.run(200);
  b.write(TRIGGER, 0x40);
  b.run(1000);
  expect(b.read1(TRIGGER)).toBe(0x40);
  b.write(TRIGGER, 0x1111);
  expect(b.read1(TRIGGER)).toBe(0);
  expect(b.kinds()).toEqual(["enable", "start-absolute", "stop"]);
});

test.each([
  ["home switch", 0b100],
  ["limit switch", 0b000],
])("homing on the %s ends with bit 6 and a zeroed position", (_, mode) => {
  const b = enabled();
  b.write(0x600a, mode);
  expect(home(b)).toBe(true);
  b.run(300);
  expect(b.read1(STATUS) & 0x40).toBe(0x40);
  expect(Math.abs(b.read32(ACTUAL))).toBeLessThan(300);
  const edge = mode === 0 ? -20_000 : -4000;
  expect(Math.abs(b.drive.motor.position - edge)).toBeLessThan(300);
});

test("homing that starts in the wrong direction turns round at the limit switch", () => {
  const b = enabled({ startAt: -15_000 });
  expect(home(b)).toBe(true);
  expect(b.read1(STATUS) & 0x40).toBe(0x40);
});

test("homing fails between both limit switches when the home switch is dead", () => {
  const b = enabled({ limitSwitches: { negative: -20_000, positive: 40_000 } });
  b.drive.motor.homeSwitchDead = true;
  expect(home(b)).toBe(true);
  expect(b.read1(STATUS) & 0x40).toBe(0);
  expect(b.read1(0x601d)).toBe(0x100);
  b.run(200);
  const rest = b.read32(ACTUAL);
  b.run(2000);
  expect(b.read32(ACTUAL)).toBe(rest);
});

test("homing against the hard stop, with no switch at all, ends in a following-error alarm", () => {
  const b = enabled({ limitSwitches: null });
  b.drive.motor.homeSwitchDead = true;
  b.write(TRIGGER, 0x20);
  expect(b.until(() => b.read1(0x2203) !== 0)).toBe(true);
  expect(b.read1(STATUS) & 0b11).toBe(0b01);
});

test("a reference position of its own makes homing end there", () => {
  const b = enabled();
  b.write(0x600b, 0, 1234);
  home(b);
  b.run(300);
  expect(Math.abs(b.read32(ACTUAL) - 1234)).toBeLessThan(300);
});

test("control words during homing are ignored, except the quick stop", () => {
  const b = enabled();
  b.write(TRIGGER, 0x20);
  b.run(60);
  move(b, 20_000);
  b.write(TRIGGER, 0x40);
  b.run(1000);
  expect(b.kinds()).toEqual(["enable", "home", "start-absolute (ignored)", "stop"]);
  expect(b.read1(STATUS) & 0x44).toBe(0);
});

test("control words during homing can be exceptions instead", () => {
  const b = enabled({}, { duringHoming: "exception" });
  b.write(TRIGGER, 0x20);
  b.run(60);
  expect(b.write(TRIGGER, 0x10)).toBe(3);
  expect(b.write(TRIGGER, 0x40)).toBe(0);
});

test("a blocked shaft trips the following-error watch: 0x20P, fault bit, alarm, torque gone", () => {
  const b = enabled();
  move(b, 50_000);
  b.run(200);
  b.drive.motor.blocked = true;
  expect(b.until(() => (b.read1(STATUS) & 1) === 1, 2000)).toBe(true);
  expect(b.read1(TRIGGER)).toBe(0x200);
  expect(b.read1(0x2203)).toBe(0x80);
  expect(b.drive.motor.powered).toBe(false);
});

test("after an alarm only a reset lets the axis go again, and the reset itself moves nothing", () => {
  const b = enabled();
  move(b, 50_000);
  b.run(200);
  b.drive.motor.blocked = true;
  b.until(() => b.read1(0x2203) !== 0);
  b.drive.motor.blocked = false;
  move(b, 10_000);
  b.run(500);
  const rest = b.read32(ACTUAL);
  b.write(0x1801, 0x1111);
  b.run(500);
  expect(b.read32(ACTUAL)).toBe(rest);
  expect(b.read1(0x2203)).toBe(0);
  move(b, 10_000);
  arrive(b);
  expect(b.read32(ACTUAL)).toBe(10_000);
});

test("soft limits act only after homing and leave 0x20P in the warning register", () => {
  const b = enabled();
  b.write(0x6006, 0, 5000);
  b.write(0x6000, 2);
  move(b, 20_000);
  arrive(b);
  expect(b.read32(ACTUAL)).toBe(20_000);
  move(b, 0);
  b.until(() => b.read1(TRIGGER) === 0);
  b.write(TRIGGER, 0x21);
  b.run(50);
  move(b, 20_000);
  b.run(3000);
  expect(b.read32(ACTUAL)).toBeLessThan(7000);
  expect(b.read1(0x601d)).toBe(0x200);
});

test("a limit switch stops a path, and the way back is free", () => {
  const b = enabled();
  move(b, -24_000);
  b.run(5000);
  expect(b.read1(0x601d)).toBe(0x200);
  expect(b.read32(ACTUAL)).toBeGreaterThan(-22_000);
  move(b, 0);
  arrive(b);
  expect(b.read32(ACTUAL)).toBe(0);
});

test("zero here makes the present place position 0", () => {
  const b = enabled();
  move(b, 5000);
  b.until(() => b.read1(TRIGGER) === 0);
  b.write(TRIGGER, 0x21);
  b.run(50);
  expect(b.read32(ACTUAL)).toBe(0);
});

test("jog stops by itself when it is not repeated within 50 ms", () => {
  const b = enabled();
  for (let n = 0; n < 20; n++) {
    b.write(0x1801, 0x4001);
    b.run(40);
  }
  expect(b.read32(0x1046)).toBe(60);
  b.run(200);
  expect(b.read32(0x1046)).toBe(0);
});

test("the interrupt bit can be made to behave as measured in the field", () => {
  const b = enabled({}, { insBehaviour: "field" });
  move(b, 50_000);
  b.run(200);
  move(b, -1000, 0x11);
  expect(b.kinds().at(-1)).toBe("start-absolute (ignored)");
  move(b, -1000, 0x01);
  arrive(b);
  expect(b.read32(ACTUAL)).toBe(-1000);
});

test("a jump bit chains the next path after the pause", () => {
  const b = enabled();
  b.write(0x6208, 1, 0, 4000, 600, 100, 100, 0, 0);
  b.write(0x6200, 0x4101, 0, 2000, 600, 100, 100, 50, 0x10);
  b.run(20);
  arrive(b, 1);
  expect(b.read32(ACTUAL)).toBe(4000);
});

test.each([
  ["an unknown register", "03 7000 0001", "8302"],
  ["a run over a hole", "03 1003 0010", "8302"],
  ["a pair read from its low word", "03 0001 0002", "8302"],
  ["a write to a measured value", "06 602C 0001", "8602"],
  ["a value above its range", "06 00A1 0201", "8603"],
  ["more registers than a message of 200 bytes takes", "03 6200 0064", "8303"],
  ["function 04", "04 1003 0001", "8401"],
])("%s is refused with the manual's exception", (_, request, reply) => {
  expect(bench().ask(request)).toBe(reply);
});

test("a refused run changes nothing", () => {
  const b = enabled();
  expect(b.write(0x6016, 77, 0)).toBe(3);
  expect(b.read1(0x6016)).toBe(50);
});

test("a power cycle loses what was not saved, the reference and the position", () => {
  const b = enabled();
  b.write(0x6017, 200);
  b.write(0x1801, 0x2211);
  b.write(0x6016, 300);
  home(b);
  move(b, 3000);
  b.until(() => b.read1(TRIGGER) === 0);
  b.drive.powerCycle();
  expect(b.drive.answering).toBe(false);
  b.run(600);
  expect(b.drive.answering).toBe(true);
  expect([b.read1(0x6017), b.read1(0x6016)]).toEqual([200, 50]);
  expect(b.read32(ACTUAL)).toBe(0);
  expect(b.read1(STATUS) & 0x40).toBe(0);
});

test("the save status says success exactly once", () => {
  const b = bench();
  b.write(0x1801, 0x2211);
  b.run(100);
  expect([b.read1(0x1901), b.read1(0x1901)]).toEqual([0x5555, 0x1111]);
});

test("more pulses per revolution make the same command a shorter way", () => {
  const b = enabled();
  b.write(0x0000, 0, 20_000);
  move(b, 20_000);
  arrive(b);
  expect(b.read32(ACTUAL)).toBe(20_000);
  expect(b.drive.motor.position).toBeCloseTo(10_000, 0);
});

test("a pushed shaft comes back while enabled and stays away while not", () => {
  const on = enabled();
  on.drive.motor.push(500);
  on.run(1000);
  expect(on.read32(ACTUAL)).toBe(0);
  const off = bench();
  off.drive.motor.push(500);
  off.run(1000);
  expect(off.read32(ACTUAL)).toBe(500);
});
