import { expect, test } from "vitest";
import type { ModbusRequest } from "../link/link.ts";
import { ModbusCodec } from "../modbus/modbus-codec.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { MotionUnits } from "../profile/motion-units.ts";
import { directWrite } from "./direct-data-writes.ts";
import { movePath } from "./path-table-writes.ts";

const leadshine = loadProfile("leadshine-icl-rs");
const oriental = loadProfile("oriental-az");
const mitsubishi = loadProfile("mitsubishi-mr-je-c");

/** The RTU frame of a request, as the vendors print it. */
const frame = (unit: number, request: ModbusRequest | undefined): string => {
  if (!request) return "no request";
  const bytes = new ModbusCodec().begin(unit, request, () => undefined);
  return Buffer.from(bytes).toString("hex").replace(/../g, "$& ").trim().toUpperCase();
};

test("an immediate move is the vendor's frame: absolute 100000, 500 rpm, 100, 100 (ELD2 manual)", () => {
  const units = new MotionUnits(leadshine.data.motion, 10_000);
  const ramp = (1000 * 10_000) / 60 / 0.1;
  const rates = { velocity: (500 * 10_000) / 60, acceleration: ramp, deceleration: ramp };
  const plan = movePath({ kind: "move-absolute", targetCounts: 100_000, ...rates }, units, 0);
  const write = "decisive" in plan ? leadshine.write(plan.decisive) : undefined;
  expect(frame(0x11, write)).toBe("11 10 62 00 00 08 10 00 01 00 01 86 A0 01 F4 00 64 00 64 00 00 00 10 67 B3");
});

test("stop and home are the vendor's frames (iCL-RS manual)", () => {
  expect(frame(1, leadshine.write([["trigger", 0x040]]))).toBe("01 06 60 02 00 40 37 FA");
  expect(frame(1, leadshine.write([["trigger", 0x020]]))).toBe("01 06 60 02 00 20 37 D2");
  expect(frame(1, leadshine.write([["trigger", 0x010]]))).toBe("01 06 60 02 00 10 37 C6");
});

test("a controlword goes by function 10h and the statusword is read alone (MR-JE-C)", () => {
  expect(frame(1, mitsubishi.write([["controlword", 0x0f]]))).toBe("01 10 60 40 00 01 02 00 0F 88 92");
  expect(frame(1, mitsubishi.read("statusword"))).toBe("01 03 60 41 00 01 CA 1E");
});

test("direct data are the public frame's sixteen registers, absolute where that one is incremental (AZ)", () => {
  const units = new MotionUnits(oriental.data.motion, null);
  const rates = { velocity: 2000, acceleration: 1500, deceleration: 1500 };
  const plan = directWrite({ kind: "move-absolute", targetCounts: 8500, ...rates }, units);
  const entries = "entries" in plan ? plan.entries : [];
  const incremental = entries.map(([name, raw]) => [name, name === "directType" ? 2 : raw] as const);
  expect(frame(1, oriental.write(incremental))).toBe(
    "01 10 00 58 00 10 20 00 00 00 00 00 00 00 02 00 00 21 34 00 00 07 D0 00 00 05 DC 00 00 05 DC 00 00 03 E8 00 00 00 01 1C 08",
  );
});

test("driver inputs are single registers: STOP, all off, ALM-RST (AZ)", () => {
  expect(frame(1, oriental.write([["driverInput", 0x20]]))).toBe("01 06 00 7D 00 20 18 0A");
  expect(frame(1, oriental.write([["driverInput", 0x00]]))).toBe("01 06 00 7D 00 00 19 D2");
  expect(frame(1, oriental.write([["driverInput", 0x80]]))).toBe("01 06 00 7D 00 80 18 72");
});
