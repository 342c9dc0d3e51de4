import { expect, test } from "vitest";
import type { MotionWrite } from "../sim/drive-record.ts";
import type { RecordStep } from "./scenario.ts";
import { recordTrouble } from "./step-checks.ts";

const record = (...kinds: string[]): MotionWrite[] =>
  kinds.map((word, n) => {
    const [kind = "", ignored] = word.split("!");
    return { seq: n + 1, atNs: "0", kind, obeyed: ignored === undefined, target: null, cause: "" } as MotionWrite;
  });
const step = (more: Partial<RecordStep>): RecordStep => ({
  do: "record",
  axis: "a",
  since: "m",
  kind: "motion",
  ...more,
});

test.each<[MotionWrite[], Partial<RecordStep>, boolean]>([
  [record("start-absolute"), {}, true],
  [record(), {}, false],
  [record("start-absolute", "start-absolute"), {}, false],
  [record("start-absolute", "start-absolute"), { times: 2 }, true],
  [record("stop"), { times: 0 }, true],
  [record("home"), { times: 0 }, false],
  [record("start-relative!ignored"), { times: 0, obeyed: true }, true],
  [record("start-absolute", "stop"), { after: "stop | halt", times: 0 }, true],
  [record("start-absolute", "stop", "velocity"), { after: "stop | halt", times: 0 }, false],
  [record("start-absolute"), { after: "stop", times: 0 }, false],
  [record("halt", "start-absolute"), { kind: "stop | halt", first: true }, true],
  [record("start-absolute", "stop"), { kind: "stop | halt", first: true }, false],
  [record(), { kind: "stop", first: true }, false],
  [record("stop", "stop"), { kind: "stop", atLeast: 1 }, true],
  [record(), { kind: "stop", atLeast: 1 }, false],
  [record(), { atMost: 1 }, true],
  [record("home", "velocity"), { atMost: 1 }, false],
])("%j against %j", (entries, wanted, holds) => {
  expect(recordTrouble(entries, step(wanted)) === undefined).toBe(holds);
});

test("trouble tells what the drive heard", () => {
  expect(recordTrouble(record("stop", "velocity!ignored"), step({ times: 2 }))).toBe(
    "motion 1 times, not 2; it heard stop, velocity (not obeyed)",
  );
});
