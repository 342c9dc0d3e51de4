import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { systemClock } from "@servofleet/runtime/system-clock";
import { describe, expect, onTestFinished, test } from "vitest";
import { needs } from "../test-host.ts";
import { compiledProgram } from "./compiled-program.ts";
import { startPacedLine } from "./paced-line.ts";

const SOURCE = fileURLToPath(new URL("./libmodbus-master.c", import.meta.url));

describe.runIf(needs("libmodbus-dev"))("a master that nobody here wrote", () => {
  test("libmodbus reads every unit of the paced line, and its missing silence is counted", async () => {
    const program = await compiledProgram(SOURCE, ["modbus"]);
    // A silence that no machine is slow enough to keep by chance.
    const line = await startPacedLine(
      { baud: 115_200, units: 4, gapUs: 5_000_000, replyGapUs: 0, hearShortGaps: true },
      systemClock(),
    );
    onTestFinished(() => line.stop());
    const { stdout } = await promisify(execFile)(program, [line.path, "115200", "4", "10", "8", "-1"]);
    expect(JSON.parse(stdout)).toMatchObject({ failed: 0, perS: expect.any(Number) });
    const { replies, shortGaps, unitReplies } = await line.figures();
    expect(unitReplies).toEqual([10, 10, 10, 10]);
    expect(shortGaps).toBe(replies - 1);
  });
});
