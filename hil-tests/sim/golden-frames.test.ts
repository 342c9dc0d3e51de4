import { readFileSync } from "node:fs";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { KincoDrive } from "./kinco-drive.ts";
import { LeadshineDrive } from "./leadshine-drive.ts";
import { RtuSlaves } from "./modbus-rtu-slave.ts";
import { MrJeCDrive } from "./mr-je-c-drive.ts";
import { OrientalDrive } from "./oriental-drive.ts";
import { DrivePort } from "./reply-faults.ts";
import type { SimulatedDrive } from "./simulated-drive.ts";

interface GoldenFrame {
  id: string;
  model: string;
  unit: number;
  request: string;
  reply: string;
  note: string;
}

const file = new URL("../fixtures/golden-frames.json", import.meta.url);
const frames = JSON.parse(readFileSync(file, "utf8")) as GoldenFrame[];
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

function line(...drives: SimulatedDrive[]) {
  const clock = new FakeClock();
  const sent: Buffer[] = [];
  const ports = drives.map((drive) => new DrivePort(drive));
  const slaves = new RtuSlaves(ports, clock, (bytes) => sent.push(Buffer.from(bytes)), 38_400, 5.5);
  return { clock, sent, slaves };
}

function build({ model, unit }: GoldenFrame): SimulatedDrive {
  if (model === "kinco-fd") return new KincoDrive("d", unit);
  if (model === "oriental-az") return new OrientalDrive("d", unit);
  return model === "leadshine-icl-rs" ? new LeadshineDrive("d", unit) : new MrJeCDrive("d", unit);
}

test.each(frames)("golden frame $id is answered byte for byte ($note)", async (frame) => {
  const { clock, sent, slaves } = line(build(frame));
  slaves.receive(hex(frame.request));
  await clock.advance(50);
  expect(Buffer.concat(sent)).toEqual(hex(frame.reply));
});

test("a request that comes in pieces is one request", async () => {
  const { clock, sent, slaves } = line(new LeadshineDrive("d", 1));
  for (const byte of hex("010300010001D5CA")) {
    slaves.receive(Buffer.of(byte));
    await clock.advance(1);
  }
  await clock.advance(50);
  expect(sent.map(String)).toHaveLength(1);
});

test("two requests that a late reader finds in one chunk are both answered", async () => {
  const { clock, sent, slaves } = line(new LeadshineDrive("d", 1));
  slaves.receive(hex("010300010001D5CA 010660020010 37C6"));
  await clock.advance(50);
  expect(sent.map((bytes) => bytes.toString("hex"))).toEqual(["0103022710a278", "01066002001037c6"]);
});

test("a bad CRC is silence from a drive that is not a Leadshine", async () => {
  const { clock, sent, slaves } = line(new MrJeCDrive("d", 1));
  slaves.receive(hex("010360410001CA1F"));
  await clock.advance(50);
  expect(sent).toEqual([]);
});

test("a write with a bad CRC is not executed", async () => {
  const drive = new LeadshineDrive("d", 1);
  const { clock, slaves } = line(drive);
  slaves.receive(hex("0106600200403700"));
  await clock.advance(50);
  expect(drive.record.list()).toEqual([]);
});

test("noise before a request costs that request and not the next one", async () => {
  const { clock, sent, slaves } = line(new MrJeCDrive("d", 1));
  slaves.receive(hex("FF0099 010360410001CA1E"));
  await clock.advance(50);
  expect(sent).toEqual([]);
  slaves.receive(hex("010360410001CA1E"));
  await clock.advance(50);
  expect(sent).toHaveLength(1);
});

test("a broadcast moves every drive of the line and nobody answers", async () => {
  const drives = [new LeadshineDrive("a", 1), new LeadshineDrive("b", 2)];
  const { clock, sent, slaves } = line(...drives);
  slaves.receive(hex("000660020040 362B"));
  await clock.advance(50);
  expect(sent).toEqual([]);
  expect(drives.map((drive) => drive.record.list().map(({ kind }) => kind))).toEqual([["stop"], ["stop"]]);
});

test("the reply leaves after the time the manual gives for the baud rate", async () => {
  const { clock, sent, slaves } = line(new LeadshineDrive("d", 1));
  slaves.receive(hex("010300010001D5CA"));
  await clock.advance(5.4);
  expect(sent).toHaveLength(0);
  await clock.advance(0.2);
  expect(sent).toHaveLength(1);
});
