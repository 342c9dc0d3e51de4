import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Frame, rfc3339 } from "@servofleet/contracts";
import { describe, expect, onTestFinished, test } from "vitest";
import { type CapturedLink, linkCapture } from "../../firmware-bridge/capture/link-capture.ts";
import { needs } from "../test-host.ts";
import { dissectFile } from "./tshark.ts";

const AT_US = 1_790_000_000_123_456;

function dissect(link: CapturedLink, frames: readonly (readonly ["tx" | "rx", string])[], options: string[] = []) {
  const directory = mkdtempSync(join(tmpdir(), "capture-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const { head, block } = linkCapture(link);
  const blocks = frames.map(([direction, hex], n): Frame => ({ direction, at: rfc3339(AT_US + n), hex })).map(block);
  const file = join(directory, "one.pcapng");
  writeFileSync(file, Buffer.concat([head, ...blocks]));
  return dissectFile(file, options);
}

describe.runIf(needs("tshark"))("a capture", () => {
  test("tells a write of one register from its echo, and noise from frames", async () => {
    const write = "0306000100025829";
    const seen = await dissect(
      { id: "line_a", kind: "modbus-rtu", port: "/dev/ttyUSB0" },
      [
        ["tx", write],
        ["rx", write],
        ["rx", "ff00ff"],
      ],
      ["-o", "mbrtu.tcp.port:502", "-o", "mbrtu.crc_verification:TRUE"],
    );
    expect(seen.map(({ functionCode }) => functionCode)).toEqual([6, 6, null]);
    expect(seen.map(({ crcGood }) => crcGood)).toEqual([true, true, null]);
    expect(seen.map(({ complaint }) => complaint)).toEqual(["", "", ""]);
  });

  test("of a socket holds what was said in a stream that fits together, whatever its true port", async () => {
    const seen = await dissect({ id: "cell_1", kind: "modbus-tcp", host: "drive.example", port: 15_020 }, [
      ["tx", "0001000000060103000a0002"],
      ["rx", "000100000007010304000b000c"],
      ["tx", "000200000006010600010002"],
      ["rx", "0002000000030186 02".replace(" ", "")],
    ]);
    expect(seen.every(({ whole }) => whole)).toBe(true);
    expect(seen.map(({ transaction }) => transaction)).toEqual([1, 1, 2, 2]);
    expect(seen[1]?.values).toEqual([11, 12]);
    expect(seen[3]?.exceptionCode).toBe(2);
  });

  test("of a servo bus shows the bytes without a word on them", async () => {
    const seen = await dissect({ id: "arm", kind: "dynamixel", port: "/dev/ttyUSB1" }, [
      ["tx", "fffffd00010300019e4e"],
    ]);
    expect(seen).toMatchObject([{ functionCode: null, complaint: "" }]);
  });
});
