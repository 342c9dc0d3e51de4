import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LinkView } from "@servofleet/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { dissectFile } from "../foreign/tshark.ts";
import { needs } from "../test-host.ts";

describe.runIf(needs("tshark"))("the last frames of a running link", () => {
  let box: RunningBox;
  beforeAll(async () => {
    box = await startBox();
    await readyAxis(box, "x1");
    expect((await box.cli("move", "x1", "7", "--wait")).code).toBe(0);
  });
  afterAll(() => box?.stop());

  test.each([
    ["line_a", [1, 2, 3]],
    ["cell_1", [255]],
  ])("of %s are decoded by tshark without a setting, requests and answers with their values", async (link, units) => {
    const file = join(box.directory, `${link}.pcapng`);
    const taken = await box.cli("capture", link, "--out", file);
    expect(taken).toMatchObject({ code: 0, stderr: "" });
    const seen = await dissectFile(file);
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.filter(({ whole }) => !whole)).toEqual([]);
    expect(new Set(seen.map(({ unit }) => unit))).toEqual(new Set(units));
    const requests = seen.filter(({ functionCode, quantity }) => functionCode === 3 && quantity !== null);
    const answers = seen.filter(({ functionCode, values }) => functionCode === 3 && values.length > 0);
    expect(requests.length).toBeGreaterThan(5);
    // A drive that the host held back left its request without an answer, and the link has counted that.
    const { timeout } = (await box.read<LinkView>(`/v1/links/${link}`)).errors;
    expect(answers.length).toBeGreaterThanOrEqual(requests.length - 1 - timeout);
    expect(answers.length).toBeLessThanOrEqual(requests.length + 1);
  });

  test("show the very write that moved the axis, and good checksums throughout", async () => {
    const file = join(box.directory, "written.pcapng");
    // The link keeps its last 2048 frames, about a minute's: a move of long ago may be among them no more.
    expect((await box.run("x1", { type: "MoveAbsolute", position: 8 })).state).toBe("succeeded");
    await box.cli("capture", "line_a", "--out", file);
    const seen = await dissectFile(file, ["-o", "mbrtu.tcp.port:502", "-o", "mbrtu.crc_verification:TRUE"]);
    expect(seen.filter(({ crcGood }) => crcGood !== true)).toEqual([]);
    expect(seen.some(({ unit, functionCode }) => unit === 1 && functionCode === 16)).toBe(true);
  });

  test("are never written over a file, and an unknown link is refused with the names there are", async () => {
    const file = join(box.directory, "kept.pcapng");
    expect((await box.cli("capture", "cell_1", "--out", file)).code).toBe(0);
    const before = readFileSync(file);
    const again = await box.cli("capture", "cell_1", "--out", file);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("nothing was overwritten");
    expect(readFileSync(file)).toEqual(before);
    const unknown = await box.cli("capture", "line_x");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain("one of line_a, line_b");
  });
});
