import { FakeClock } from "@servofleet/runtime/fake-clock";
import { describe, expect, test } from "vitest";
import { type Fate, MemoryLink } from "../axis/testing/memory-link.ts";
import { axisConfig, ended, TestAxis, typesOf } from "../axis/testing/test-axis.ts";
import { TestPathTable } from "../axis/testing/test-path-table.ts";
import { DriveProfile } from "../profile/drive-profile.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { parameterValue } from "./write-parameter.ts";

const PROFILE = "leadshine-icl-rs";
const profile = new DriveProfile(loadProfile(PROFILE).data);
const action = (parameter: string, value: number) => ({ kind: "write-parameter", parameter, value }) as const;
const address = Number(profile.fact("followingErrorLimit").address);

async function axis() {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  const link = new MemoryLink("line_a", clock, new Map([[3, drive]]));
  const on = new TestAxis(clock, link, axisConfig("x1", 3, PROFILE));
  await on.until(() => on.supervisor.status().reads >= 2);
  const write = async (value: number) => {
    const reports = on.order(action("followingErrorLimit", value));
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
