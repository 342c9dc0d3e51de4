import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { DynamixelDrive } from "./dynamixel-drive.ts";
import { dynamixelFrame, dynamixelWire } from "./dynamixel-wire.ts";
import { FeetechDrive } from "./feetech-drive.ts";
import { feetechWire } from "./feetech-wire.ts";
import { DrivePort } from "./reply-faults.ts";
import { ServoSlaves } from "./servo-slaves.ts";
import type { ServoWire } from "./servo-wire.ts";
import type { SimulatedDrive } from "./simulated-drive.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** A bus without return delay: what goes in, and what has come out since the last question. */
function bus(wire: ServoWire, ...drives: SimulatedDrive[]) {
  const clock = new FakeClock();
  let sent: Buffer[] = [];
  const ports = drives.map((drive) => new DrivePort(drive));
  const slaves = new ServoSlaves(ports, clock, wire, (bytes) => void sent.push(Buffer.from(bytes)), 0);
  return (request: string): string[] => {
    sent = [];
    slaves.receive(hex(request));
    return sent.map((bytes) => bytes.toString("hex"));
  };
}
const dynamixel = (id: number, startAt = 166) => new DynamixelDrive(`d${id}`, id, { startAt });
const answer = (text: string) => [hex(text).toString("hex")];

test("Dynamixel: read, write and watchdog are answered as the e-manual prints them", () => {
  const ask = bus(dynamixelWire, dynamixel(1));
  expect(ask("FF FF FD 00 01 07 00 02 84 00 04 00 1D 15")).toEqual(
    answer("FF FF FD 00 01 08 00 55 00 A6 00 00 00 8C C0"),
  );
  expect(ask("FF FF FD 00 01 09 00 03 74 00 00 02 00 00 CA 89")).toEqual(answer("FF FF FD 00 01 04 00 55 00 A1 0C"));
  expect(ask("FF FF FD 00 01 06 00 03 62 00 0A 4A E4")).toEqual(answer("FF FF FD 00 01 04 00 55 00 A1 0C"));
  expect(ask("FF FF FD 00 01 03 00 08 2F 4E")).toEqual(answer("FF FF FD 00 01 04 00 55 00 A1 0C"));
});

test("Dynamixel: a ping tells model and firmware", () => {
  const drive = dynamixel(1);
  drive.table[6] = 0x26;
  drive.table.writeUInt16LE(0x0406, 0);
  const ask = bus(dynamixelWire, drive);
  expect(ask("FF FF FD 00 01 03 00 01 19 4E")).toEqual(answer("FF FF FD 00 01 07 00 55 00 06 04 26 65 5D"));
});

test("Dynamixel: sync read is answered in its order, one that is missing leaves its place empty; sync write by nobody", () => {
  const [first, second] = [dynamixel(1), dynamixel(2)];
  const ask = bus(dynamixelWire, second, first);
  const request = "FF FF FD 00 FE 09 00 82 84 00 04 00 01 02 CE FA";
  expect(ask(request).map((frame) => frame.slice(8, 10))).toEqual(["01", "02"]);
  expect(bus(dynamixelWire, second)(request).map((frame) => frame.slice(8, 10))).toEqual(["02"]);
  expect(ask("FF FF FD 00 FE 11 00 83 74 00 04 00 01 96 00 00 00 02 AA 00 00 00 82 87")).toEqual([]);
  expect([first, second].map(({ table }) => table.readInt32LE(116))).toEqual([0x96, 0xaa]);
});

test("Dynamixel: refusals have their codes: EEPROM under torque 7, beyond the limits 6, after the watchdog 4, damage none", () => {
  const drive = dynamixel(1);
  const ask = bus(dynamixelWire, drive);
  const write = (address: number, ...data: number[]) =>
    drive.packets.answer(Buffer.from([3, address, 0, ...data]))?.[0];
  expect(write(64, 1)).toBe(0);
  expect(write(11, 4)).toBe(7);
  expect(write(132, 0, 0, 0, 0)).toBe(7);
  expect(write(116, 0, 0x20, 0, 0)).toBe(6);
  expect(write(98, 1)).toBe(0);
  drive.heard();
  drive.advance(10_000_000_000n);
  expect(drive.state().state).toBe("watchdog tripped");
  expect(write(116, 0, 2, 0, 0)).toBe(4);
  expect(write(98, 0)).toBe(0);
  expect(write(116, 0, 2, 0, 0)).toBe(0);
  expect(ask("FF FF FD 00 01 07 00 02 84 00 04 00 1D 16")).toEqual([]);
});

test("Dynamixel: refusals and the alert are the packets of the e-manual, and a registered write waits for its action", () => {
  const drive = dynamixel(1);
  const ask = bus(dynamixelWire, drive);
  const write = (instruction: number, ...bytes: number[]) =>
    ask(dynamixelFrame(1, Buffer.of(instruction, ...bytes)).toString("hex"));
  const status = (tail: string) => answer(`FF FF FD 00 01 04 00 55 ${tail}`);
  expect(write(0x03, 64, 0, 1)).toEqual(status("00 A1 0C"));
  expect(write(0x03, 11, 0, 4)).toEqual(status("07 B0 8C"));
  expect(write(0x03, 116, 0, 0, 0x20, 0, 0)).toEqual(status("06 B5 0C"));
  expect(write(0x03, 104, 0, 0xff, 0x7f, 0, 0)).toEqual(status("06 B5 0C"));
  expect(write(0x04, 116, 0, 0xf4, 1, 0, 0)).toEqual(status("00 A1 0C"));
  expect(drive.table.readInt32LE(116)).not.toBe(500);
  expect(ask("FF FF FD 00 01 03 00 05 02 CE")).toEqual(status("00 A1 0C"));
  expect(drive.table.readInt32LE(116)).toBe(500);
  write(0x03, 98, 0, 1);
  drive.heard();
  drive.advance(10_000_000_000n);
  expect(write(0x03, 116, 0, 0, 2, 0, 0)).toEqual(status("04 BA 8C"));
  drive.table[70] = 0x20;
  expect(write(0x03, 65, 0, 1)).toEqual(status("80 A2 8F"));
});

test("Feetech: ping, read and both forms of a move", () => {
  const ask = bus(feetechWire, new FeetechDrive("f1", 1));
  expect(ask("FF FF 01 02 01 FB")).toEqual(answer("FF FF 01 02 00 FC"));
  expect(ask("FF FF 01 04 02 38 02 BE")).toEqual(answer("FF FF 01 04 00 00 08 F2"));
  expect(ask("FF FF 01 09 03 2A 00 08 00 00 E8 03 D5")).toEqual(answer("FF FF 01 02 00 FC"));
  expect(ask("FF FF 01 0A 03 29 32 00 08 00 00 E8 03 A3")).toEqual(answer("FF FF 01 02 00 FC"));
  expect(ask("FF FF 01 02 01 FA")).toEqual([]);
});

test("Feetech: what is written to a locked EEPROM is gone after mains off and on", () => {
  const drive = new FeetechDrive("f1", 1);
  drive.packets.answer(Buffer.of(3, 9, 100, 0));
  expect(drive.table[9]).toBe(100);
  drive.powerCycle();
  expect(drive.table[9]).toBe(0);
});
