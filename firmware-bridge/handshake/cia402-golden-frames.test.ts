import { expect, test } from "vitest";
import type { ModbusRequest } from "../link/link.ts";
import { ModbusCodec } from "../modbus/modbus-codec.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { MotionUnits } from "../profile/motion-units.ts";

const kinco = loadProfile("kinco-fd");
const igus = loadProfile("igus-dryve-d1");

const frame = (unit: number, request: ModbusRequest | undefined): string => {
  const bytes = request ? new ModbusCodec().begin(unit, request, () => undefined) : Buffer.of();
  return Buffer.from(bytes).toString("hex").replace(/../g, "$& ").trim().toUpperCase();
};

test("Kinco: the frames that its manual prints (C-KI-1, C-KI-2, C-KI-3)", () => {
  expect(frame(1, kinco.write([["controlword", 0x0f]]))).toBe("01 06 31 00 00 0F C7 32");
  expect(frame(1, { fn: "read", address: 0x3200, quantity: 2 })).toBe("01 03 32 00 00 02 CA B3");
  expect(frame(1, kinco.write([["targetVelocity", 1_789_570]]))).toBe("01 10 6F 00 00 02 04 4E 82 00 1B ED 56");
});

test.each([65_536, 10_000, 131_072, 8_388_608])(
  "Kinco: in counts the DEC units are the same for an encoder of %i counts as the manual's formula",
  (resolution) => {
    const units = new MotionUnits(kinco.data.motion, null);
    const speed = units.speed((100 * resolution) / 60);
    const ramp = units.ramp(20 * resolution);
    expect(speed).toEqual({ raw: Math.floor((100 * 512 * resolution) / 1875 + 1e-6) });
    expect(ramp).toEqual({ raw: Math.floor((20 * 65_536 * resolution) / 4_000_000 + 1e-6) });
  },
);

test("igus: the statusword is asked for by the maker's telegram, behind the header of TCP (C-D1-1)", () => {
  const telegram = frame(0, igus.read("statusword"));
  expect(telegram.slice(0, -6)).toBe("00 2B 0D 00 00 00 60 41 00 00 00 00 02");
});

test("igus: each write has its object's own size and low byte first", () => {
  expect(frame(0, igus.write([["mode", 6]])).slice(0, -6)).toBe("00 2B 0D 01 00 00 60 60 00 00 00 00 01 06");
  expect(frame(0, igus.write([["controlword", 0x1f]])).slice(0, -6)).toBe(
    "00 2B 0D 01 00 00 60 40 00 00 00 00 02 1F 00",
  );
  expect(frame(0, igus.write([["targetPosition", 25_000]])).slice(0, -6)).toBe(
    "00 2B 0D 01 00 00 60 7A 00 00 00 00 04 A8 61 00 00",
  );
  expect(frame(0, igus.write([["homingSpeedSlow", 1]])).slice(0, -6)).toBe(
    "00 2B 0D 01 00 00 60 99 02 00 00 00 04 01 00 00 00",
  );
});

test("what is only inferred is neither read nor written until a copy of the profile says so", () => {
  expect(kinco.has("profileDeceleration")).toBe(false);
  expect(kinco.believes("haltBit")).toBe(false);
  expect(igus.data.plan.fault).toEqual([]);
});
