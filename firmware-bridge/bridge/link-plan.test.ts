import type { FleetConfig, LinkConfig } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { axisConfig } from "../axis/testing/test-axis.ts";
import { DriveProfile } from "../profile/drive-profile.ts";
import { loadProfile } from "../profile/load-profile.ts";
import type { ProfileData } from "../profile/profile-schema.ts";
import { linkPlan } from "./link-plan.ts";

const LINE = { id: "line_a", kind: "modbus-rtu" } as LinkConfig;
const AXES = { axes: [axisConfig("x1", 3, "register-servo")] } as unknown as FleetConfig;
const { data } = loadProfile("register-servo");
const longest = (profile: ProfileData): { written: number; read: number } => {
  const { inFlight } = linkPlan(LINE, AXES, () => new DriveProfile(profile));
  return {
    written: Math.max(...inFlight.map((request) => (request.fn === "write-many" ? request.values.length : 1))),
    read: Math.max(...inFlight.map((request) => (request.fn === "read" ? request.quantity : 0))),
  };
};

test("a parameter whose register is only inferred, and off, is no request of the line", () => {
  const guessed = {
    address: "0x0200",
    type: "u16",
    words: 1,
    access: "rw",
    scale: 1,
    unit: "",
    source: "[I] test",
  } as const;
  const inferred = { cam: { enabled: false, what: "a table", source: "[I] test" } };
  const parameters = { cam: { register: "cam", count: 40, min: 0, max: 1 } };
  const registers = { ...data.registers, cam: { ...guessed, inferred: "cam" } };
  expect(longest({ ...data, registers, inferred, parameters })).toEqual(longest(data));
});

test("a stop can come behind the write of a whole row of values, and behind the read of it", () => {
  const shipped = longest(data);
  expect(shipped.written).toBe(16);
  const cam = {
    address: "0x0200",
    type: "i32",
    words: 2,
    access: "rw",
    scale: 1,
    unit: "",
    source: "[M] test",
  } as const;
  const withRow = longest({
    ...data,
    registers: { ...data.registers, cam },
    parameters: { ...data.parameters, cam: { register: "cam", count: 40, min: 0, max: 1 } },
  });
  // After a time-out a read asks for one register more.
  expect(withRow).toEqual({ written: 80, read: Math.max(81, shipped.read) });
});
