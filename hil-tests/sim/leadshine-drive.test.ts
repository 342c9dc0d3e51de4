import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@servofleet/runtime/system-clock";
import { SerialPort } from "serialport";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LeadshineDrive } from "./leadshine-drive.ts";
import { RtuSlaves } from "./modbus-rtu-slave.ts";
import { openPtyLine, type PtyLine } from "./pty.ts";
import { DrivePort } from "./reply-faults.ts";

let dir: string;
let line: PtyLine;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sim-"));
  let slaves: RtuSlaves | undefined;
  line = openPtyLine(join(dir, "line"), (bytes) => slaves?.receive(bytes));
  slaves = new RtuSlaves([new DrivePort(new LeadshineDrive("x", 1))], systemClock(), (b) => line.write(b), 38400, 0);
});
afterEach(() => {
  line.unplug();
  rmSync(dir, { recursive: true });
});

test("a drive on a pty answers a read through serialport", async () => {
  const port = new SerialPort({ path: line.path, baudRate: 38400, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((e) => (e ? reject(e) : resolve())));
  const got = new Promise<Buffer>((resolve) => port.once("data", resolve));
  port.write(Buffer.from("010300010001D5CA", "hex"));
  expect((await got).toString("hex")).toBe("0103022710a278");
  await new Promise((resolve) => port.close(resolve));
});
