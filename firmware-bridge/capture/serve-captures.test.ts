import {
  CAPTURE_FILE_MAX_BYTES,
  CAPTURE_PART_MAX_BYTES,
  type CapturePart,
  type Frame,
  type LinkId,
  rfc3339,
} from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { memoryBusPair } from "@servofleet/runtime/memory-bus";
import { expect, onTestFinished, test } from "vitest";
import { CAPTURES_MAX, serveCaptures } from "./serve-captures.ts";

const LINE = "line_a" as LinkId;
const frame = (hex: string, n: number): Frame => ({ direction: n % 2 ? "rx" : "tx", at: rfc3339(n), hex });

function rig(frames: readonly Frame[]) {
  const clock = new FakeClock();
  const pair = memoryBusPair(() => undefined);
  const parts: CapturePart[] = [];
  pair.controller.subscribe("captures", (part) => void parts.push(part));
  const links = [{ id: LINE, kind: "modbus-rtu", port: "/dev/ttyUSB0" }];
  const end = serveCaptures({ bus: pair.bridge, clock, links, frames: (link) => (link === LINE ? frames : undefined) });
  onTestFinished(end);
  const ask = (captureId: string, link: LinkId = LINE) =>
    pair.controller.publish("capture-requests", { captureId, link });
  const pass = async (ms: number) => {
    for (let n = 0; n < ms; n++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      clock.advance(1);
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return { clock, pair, parts, ask, pass };
}

test("a ring of the longest frames comes in many small parts that stay within their bounds", async () => {
  const { parts, ask, pass } = rig(Array.from({ length: 2048 }, (_, n) => frame("ab".repeat(5000), n)));
  ask("one");
  await pass(800);
  expect(parts.map(({ index }) => index)).toEqual(parts.map((_, n) => n));
  expect(parts.filter(({ last }) => last)).toHaveLength(1);
  expect(parts.at(-1)?.last).toBe(true);
  const sizes = parts.map(({ base64 }) => Buffer.from(base64, "base64").length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(CAPTURE_PART_MAX_BYTES);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(CAPTURE_FILE_MAX_BYTES);
  expect(parts.length).toBeGreaterThan(32);
});

test("a link that has seen nothing gives a file without packets", async () => {
  const { parts, ask, pass } = rig([]);
  ask("one");
  await pass(5);
  expect(parts).toMatchObject([{ captureId: "one", index: 0, last: true }]);
});

test("an unknown link and a request too many are not answered, and others go on", async () => {
  const { parts, ask, pass } = rig([frame("0103", 0)]);
  ask("strange", "line_x" as LinkId);
  for (let n = 0; n < CAPTURES_MAX + 1; n++) ask(`c${n}`);
  await pass(5);
  expect(parts.map(({ captureId }) => captureId)).toEqual(["c0", "c1", "c2", "c3"]);
  ask("later");
  await pass(5);
  expect(parts.at(-1)?.captureId).toBe("later");
});

test("a capture that nobody takes is given up and leaves room for the next", async () => {
  const { pair, parts, ask, pass } = rig([frame("0103", 0)]);
  for (let n = 0; n < CAPTURES_MAX; n++) ask(`lost${n}`);
  await pass(1);
  pair.disconnect();
  await pass(400);
  pair.connect();
  ask("next");
  await pass(5);
  expect(parts.map(({ captureId }) => captureId)).toEqual(["next"]);
});
