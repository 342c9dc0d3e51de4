import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { BENCHES } from "./bench-names.ts";
import { atLeast, benchLine, measurementOf } from "./bench-result.ts";

const ENTRY = fileURLToPath(new URL("./bench.ts", import.meta.url));

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [ENTRY, ...args], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    ),
  );
}

test("the append rate is printed as one line of JSON in the form of the API document", async () => {
  const { code, stdout, stderr } = await bench("append", "--quick");
  expect(code, stderr).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  const printed = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  expect(Object.keys(printed).slice(0, 10)).toEqual(
    "name value unit reference ratio bar holds runs spread machine".split(" "),
  );
  expect(printed).toMatchObject({
    name: "append",
    unit: "events/s",
    reference: { name: "raw one-statement limit", value: expect.any(Number) },
    bar: ">= 0.8",
    runs: 3,
    spread: [expect.any(Number), expect.any(Number)],
  });
  expect(printed["value"]).toBeGreaterThan(0);
  expect(printed["holds"]).toBe((printed["ratio"] as number) >= 0.8);
  expect(stderr).toContain("append");
});

test("a name that does not exist measures nothing, lists the names and is wrong usage", async () => {
  const { code, stdout, stderr } = await bench("append", "apend");
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain("unknown: apend");
  for (const name of Object.keys(BENCHES)) expect(stderr).toContain(name);
  expect((await bench("--fast")).code).toBe(2);
});

test("a bar that does not hold is printed as such, with medians over the runs", () => {
  const measured = measurementOf({
    unit: "events/s",
    values: [50, 70, 60],
    references: [100, 100, 100],
    referenceName: "raw",
    bar: atLeast(0.8),
    more: { inFlight: 100 },
  });
  expect(JSON.parse(benchLine("append", measured, { cores: 2 }))).toEqual({
    name: "append",
    value: 60,
    unit: "events/s",
    reference: { name: "raw", value: 100 },
    ratio: 0.6,
    bar: ">= 0.8",
    holds: false,
    runs: 3,
    spread: [0.5, 0.7],
    machine: { cores: 2 },
    inFlight: 100,
  });
});
