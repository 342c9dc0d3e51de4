import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { afterAll, describe, expect, test } from "vitest";
import { type Fate, MemoryLink } from "../axis/testing/memory-link.ts";
import { axisConfig, ended, TestAxis, typesOf } from "../axis/testing/test-axis.ts";
import { TestPathTable } from "../axis/testing/test-path-table.ts";
import { checkProfile } from "../profile/check-profile.ts";
import { DriveProfile } from "../profile/drive-profile.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { parameterValue } from "./write-parameter.ts";

const PROFILE = "leadshine-icl-rs";
const profile = new DriveProfile(loadProfile(PROFILE).data);
const action = (parameter: string, value: number | readonly number[]) =>
  ({ kind: "write-parameter", parameter, value }) as const;
const address = Number(profile.fact("followingErrorLimit").address);

/** The same drive with a table of twenty signed values in a place of its own. */
const directory = mkdtempSync(join(tmpdir(), "rows-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const ROWS = join(directory, "rows.json");
const TABLE = 0x7000;
const { registers, parameters } = profile.data;
const withRow = {
  ...profile.data,
  registers: {
    ...registers,
    cam: { address: "0x7000", type: "i16", words: 1, access: "rw", scale: 0.5, source: "[M] test" },
  },
  parameters: { ...parameters, cam: { register: "cam", count: 20, min: -1000, max: 1000 } },
};
writeFileSync(ROWS, JSON.stringify(withRow));

async function axis(profileName = PROFILE, parameter = "followingErrorLimit") {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  const link = new MemoryLink("line_a", clock, new Map([[3, drive]]));
  const on = new TestAxis(clock, link, axisConfig("x1", 3, profileName));
  await on.until(() => on.supervisor.status().reads >= 2);
  const write = async (value: number | readonly number[]) => {
    const reports = on.order(action(parameter, value));
    await on.until(() => ended(reports()));
    return typesOf(reports());
  };
  return { link, drive, write };
}

describe("a parameter of a drive", () => {
  test("is written once and read back, and not at all where the value is already there: its memory wears out", async () => {
    const { link, drive, write } = await axis();
    expect(await write(1234)).toEqual(["order-sent", "order-acknowledged", "order-done"]);
    expect(drive.word(address)).toBe(1234);
    expect(link.writes()).toHaveLength(1);
    expect(await write(1234)).toEqual(["order-acknowledged", "order-done"]);
    expect(await write(1234)).toEqual(["order-acknowledged", "order-done"]);
    expect(link.writes()).toHaveLength(1);
    await write(1235);
    expect(link.writes()).toHaveLength(2);
  });

  test.each([
    ["lost-reply", "order-done", 1234],
    ["lost-request", "order-unsettled", 0],
  ] as const)("whose write met a %s is settled by reading and never written again", async (fate: Fate, end, value) => {
    const { link, drive, write } = await axis();
    link.fate = ({ request }) => (request.fn === "read" ? "answer" : fate);
    const types = await write(1234);
    expect(types.slice(0, 2)).toEqual(["order-sent", "order-unknown"]);
    expect(types.at(-1)).toBe(end);
    expect(drive.word(address)).toBe(value);
    expect(link.writes()).toHaveLength(1);
  });

  test("that the drive does not keep is told as failed", async () => {
    const { link, drive, write } = await axis();
    const read = drive.read.bind(drive);
    drive.read = (from, quantity) =>
      from <= address && address < from + quantity ? read(from, quantity).map(() => 7) : read(from, quantity);
    expect((await write(1234)).at(-1)).toBe("order-failed");
    expect(link.writes()).toHaveLength(1);
  });

  test("that is a row of values leaves in one write, and is settled as one", async () => {
    const { link, drive, write } = await axis(ROWS, "cam");
    const values = Array.from({ length: 20 }, (_, at) => at - 9.5);
    expect(await write(values)).toEqual(["order-sent", "order-acknowledged", "order-done"]);
    const raws = values.map((value) => (value * 2) & 0xffff);
    expect(drive.read(TABLE, 20)).toEqual(raws);
    expect(link.writes().map(({ request }) => request)).toEqual([{ fn: "write-many", address: TABLE, values: raws }]);
    expect(await write(values)).toEqual(["order-acknowledged", "order-done"]);
    link.fate = ({ request }) => (request.fn === "read" ? "answer" : "lost-reply");
    const others = values.with(19, 900);
    expect((await write(others)).at(-1)).toBe("order-done");
    expect(drive.word(TABLE + 19)).toBe(1800);
    link.fate = ({ request }) => (request.fn === "read" ? "answer" : "lost-request");
    expect((await write(values)).at(-1)).toBe("order-unsettled");
    expect(link.writes()).toHaveLength(3);
  });

  test("that is a row is refused with other than all of its values, and says which one is wrong", () => {
    const rows = loadProfile(ROWS);
    const values = Array<number>(20).fill(1);
    for (const [value, words] of [
      [values.slice(1), "takes 20 values at once, and 19 came"],
      [1, "takes 20 values at once, and 1 came"],
      [values.with(7, 1001), "cam[7] 1001 is outside -1000 to 1000"],
      [values.with(19, 0.25), "cam[19] 0.25 is not a whole number of steps of 0.5"],
    ] as const)
      expect(parameterValue(rows, action("cam", value))).toEqual({ trouble: expect.stringContaining(words) });
    expect(parameterValue(rows, action("followingErrorLimit", [1, 2]))).toEqual({
      trouble: "followingErrorLimit takes one value, and 2 came",
    });
  });

  test.each([
    [{ register: "cam", count: 100, min: 0, max: 1 }, "at most 95 (registersMax): a row is one request"],
    [
      { register: "followingErrorLimit", count: 90, min: 0, max: 1 },
      "a row that holds no other register of the profile",
    ],
  ])(
    "that is a row which one request cannot write, or which holds other registers, is no good profile: %j",
    (cam, allowed) => {
      const { complaints } = checkProfile({ ...withRow, parameters: { ...parameters, cam } });
      expect(complaints.map((one) => [one.path, one.allowed])).toContainEqual(["parameters.cam.count", allowed]);
    },
  );

  test("whose register is only inferred, and off, is refused with what to switch on", () => {
    const guess = { ...registers, followingErrorLimit: { ...profile.fact("followingErrorLimit"), inferred: "guess" } };
    const inferred = { guess: { enabled: false, what: "the limit", source: "[I] test" } };
    const unsure = new DriveProfile({ ...profile.data, registers: guess, inferred });
    expect(parameterValue(unsure, action("followingErrorLimit", 1))).toEqual({
      trouble: expect.stringContaining("only infers; switch it on under `inferred`"),
    });
  });

  test("is refused beyond its range and between its steps, before anything is sent", () => {
    expect(parameterValue(profile, action("followingErrorLimit", 70_000))).toMatchObject({
      trouble: expect.stringContaining("outside"),
    });
    expect(parameterValue(profile, action("followingErrorLimit", 1.5))).toMatchObject({
      trouble: expect.stringContaining("whole number"),
    });
    expect(parameterValue(profile, action("wings", 1))).toMatchObject({
      trouble: expect.stringContaining("no parameter"),
    });
  });
});
