import fc from "fast-check";
import { expect, test } from "vitest";
import { loadProfile } from "./load-profile.ts";
import { MotionUnits } from "./motion-units.ts";
import { fromWords, toWords } from "./register-words.ts";

const leadshine = loadProfile("leadshine-icl-rs");
const mitsubishi = loadProfile("mitsubishi-mr-je-c");

test("whatever fits a type survives its words in both orders, and nothing else is written", () => {
  const ranges = {
    u16: [0, 0xffff],
    i16: [-0x8000, 0x7fff],
    u32: [0, 0xffff_ffff],
    i32: [-0x8000_0000, 0x7fff_ffff],
  } as const;
  for (const type of ["u16", "i16", "u32", "i32"] as const) {
    const [min, max] = ranges[type];
    for (const order of ["high-first", "low-first"] as const) {
      fc.assert(
        fc.property(fc.integer({ min, max }), (raw) => fromWords(toWords(raw, type, order) ?? [], type, order) === raw),
      );
    }
    expect(toWords(max + 1, type, "high-first")).toBeUndefined();
    expect(toWords(min - 1, type, "high-first")).toBeUndefined();
    expect(toWords(0.5, type, "high-first")).toBeUndefined();
  }
});

test("one register goes by function 06 where the drive has it, by 10h where it has not", () => {
  expect(leadshine.write([["trigger", 0x40]])).toEqual({ fn: "write", address: 0x6002, value: 0x40 });
  expect(mitsubishi.write([["controlword", 0x0f]])).toEqual({ fn: "write-many", address: 0x6040, values: [0x0f] });
});

test("a read over neighbours gives each name its own value, low word first or high word first", () => {
  expect(leadshine.read("commandPosition", "actualPosition")).toEqual({ fn: "read", address: 0x602a, quantity: 4 });
  const values = leadshine.values(["commandPosition", "actualPosition"], [0, 7, 0xfffc, 0xf2c0]);
  expect([...values]).toEqual([
    ["commandPosition", 7],
    ["actualPosition", -200_000],
  ]);
  expect(mitsubishi.values(["actualPosition"], [0xf2c0, 0xfffc]).get("actualPosition")).toBe(-200_000);
});

test("a fault code has a name and a remedy, known to the profile or not", () => {
  expect(leadshine.fault(0x80)).toMatchObject({ code: "0x0080", name: expect.stringContaining("shaft") });
  expect(mitsubishi.fault(0xff01)).toMatchObject({ code: "0xff01", name: expect.stringContaining("does not know") });
});

test("what a drive is told never exceeds what was decided", () => {
  const units = new MotionUnits(leadshine.data.motion, 10_000);
  fc.assert(
    fc.property(
      fc.double({ min: 200, max: 800_000, noNaN: true }),
      fc.double({ min: 20_000, max: 1e8, noNaN: true }),
      (speed, ramp) => {
        const rpm = units.speed(speed);
        const ms = units.ramp(ramp);
        if (!("raw" in rpm) || !("raw" in ms)) return false;
        const told = ((1000 * 10_000) / 60 / ms.raw) * 1000;
        return units.countsPerS(rpm.raw) <= speed * (1 + 1e-6) && told <= ramp * (1 + 1e-6);
      },
    ),
  );
});

test("whole numbers of rpm and of ms stay what they are, and the sign of a speed is kept", () => {
  const units = new MotionUnits(leadshine.data.motion, 10_000);
  for (let rpm = 1; rpm <= 5000; rpm += 7) expect(units.speed((-rpm * 10_000) / 60)).toEqual({ raw: -rpm });
  for (let ms = 1; ms <= 10_000; ms += 13) expect(units.ramp(((1000 * 10_000) / 60 / ms) * 1000)).toEqual({ raw: ms });
});

test("a rate that the drive cannot be told is refused with the numbers", () => {
  const units = new MotionUnits(leadshine.data.motion, 10_000);
  expect(units.speed(10)).toEqual({ trouble: expect.stringContaining("below 1 rpm") });
  expect(units.speed(1e7)).toEqual({ trouble: expect.stringContaining("above 5000 rpm") });
  expect(units.ramp(10)).toEqual({ trouble: expect.stringContaining("the most the drive takes") });
});
