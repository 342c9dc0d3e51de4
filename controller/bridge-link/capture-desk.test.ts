import type { LinkId } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { memoryBusPair } from "@servofleet/runtime/memory-bus";
import { systemRandom } from "@servofleet/runtime/system-clock";
import { expect, test } from "vitest";
import { CAPTURE_LIMIT_MS, CAPTURES_MAX, CaptureDesk, type CaptureOutcome } from "./capture-desk.ts";

const LINE = "line_a" as LinkId;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const b64 = (text: string) => Buffer.from(text).toString("base64");

function rig(bridgeAlive = true) {
  const clock = new FakeClock();
  const pair = memoryBusPair(() => undefined);
  const asked: string[] = [];
  pair.bridge.subscribe("capture-requests", ({ captureId }) => void asked.push(captureId));
  const desk = new CaptureDesk({ bus: pair.controller, clock, random: systemRandom(), bridgeAlive: () => bridgeAlive });
  const part = (index: number, text: string, last: boolean, captureId = asked[0] ?? "") =>
    pair.bridge.publish("captures", { captureId, index, last, base64: b64(text) });
  return { clock, pair, asked, desk, part };
}
const slugOf = (outcome: CaptureOutcome) => ("problem" in outcome ? outcome.problem.slug : undefined);

test("the parts of an answer become one file, and another's parts do not enter it", async () => {
  const { asked, desk, part } = rig();
  const outcome = desk.ask(LINE);
  await turn();
  expect(asked).toHaveLength(1);
  part(0, "ab", false);
  part(0, "zz", true, "somebody else's");
  part(1, "cd", true);
  expect(await outcome).toEqual({ file: Buffer.from("abcd") });
});

test("a lost part gives the file up instead of handing out half of it", async () => {
  const { desk, part } = rig();
  const outcome = desk.ask(LINE);
  await turn();
  part(0, "ab", false);
  part(2, "ef", true);
  expect(slugOf(await outcome)).toBe("service-unavailable");
});

test("a bridge that says nothing, or is not there, is waited for no longer than the limit", async () => {
  const { clock, desk } = rig();
  const outcome = desk.ask(LINE);
  clock.advance(CAPTURE_LIMIT_MS);
  expect(slugOf(await outcome)).toBe("service-unavailable");
  expect(slugOf(await rig(false).desk.ask(LINE))).toBe("service-unavailable");
});

test("more captures at once than the bridge makes are refused, and closing settles who waits", async () => {
  const { desk } = rig();
  const waiting = Array.from({ length: CAPTURES_MAX }, () => desk.ask(LINE));
  expect(slugOf(await desk.ask(LINE))).toBe("queue-full");
  desk.close();
  expect((await Promise.all(waiting)).map(slugOf)).toEqual(waiting.map(() => "service-unavailable"));
});
