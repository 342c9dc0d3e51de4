import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RigError } from "./rig-error.ts";
import { parseRig, readRig } from "./rig-file.ts";
import { linksDocument } from "./rig-links.ts";

const RIGS = join(import.meta.dirname, "rigs");
const TWO = readFileSync(join(RIGS, "two-families.yaml"), "utf8");

function refusal(text: string): RigError {
  try {
    parseRig(text, "rig.yaml");
  } catch (error) {
    if (error instanceof RigError) return error;
    throw error;
  }
  throw new Error("the rig was taken");
}

test.each(readdirSync(RIGS))("%s, which ships, can be read", (file) => {
  const rig = readRig(join(RIGS, file));
  expect(rig.axes.length).toBeGreaterThan(0);
  expect(rig.axes.map(({ id }) => id)).toEqual(rig.fleet.axes.map(({ id }) => id));
  expect(rig.links.map(({ id }) => id)).toEqual(rig.fleet.links.map(({ id }) => id));
});

test("the simulated links become lines and ports with the drives of the axes on them", () => {
  const { links } = linksDocument(parseRig(TWO, "rig.yaml"), "/somewhere");
  expect(links).toMatchObject([
    { id: "line_a", kind: "modbus-rtu", path: "/somewhere/line_a", baud: 115_200 },
    { id: "cell_1", kind: "modbus-tcp", host: "127.0.0.1", port: 0 },
    { id: "cell_2", kind: "modbus-tcp", host: "127.0.0.1", port: 0 },
  ]);
  expect(links[0]).toMatchObject({
    drives: [
      { id: "x1", unit: 1, model: "leadshine-icl-rs", plant: { homeSwitch: { at: -3000, width: 1000 } } },
      { id: "x2", unit: 2, model: "leadshine-icl-rs" },
    ],
  });
});

test("a real link keeps its place and is not simulated", () => {
  const text = TWO.replace(
    "drives: simulated, kind: modbus-rtu,",
    "drives: real, port: /dev/ttyUSB7, kind: modbus-rtu,",
  );
  const rig = parseRig(text, "rig.yaml");
  expect(rig.fleet.links[0]).toMatchObject({ port: "/dev/ttyUSB7" });
  expect(linksDocument(rig, "/x").links).toHaveLength(2);
});

describe("a wrong rig file is refused with every mistake at once", () => {
  test("in the rig's own words and in the fleet's, by their paths in the file", () => {
    const text = TWO.replace("drives: simulated, kind: modbus-tcp", "drives: simulatd, kind: modbus-tcp")
      .replace("baud: 115200", "baud: fast")
      .replace("unitName: deg", "unitNme: deg")
      .replace("title:", "permit: [motions]\ntitle:");
    const { code, message } = refusal(text);
    expect(code).toBe("wrong-usage");
    expect(message).toContain("links[1].drives");
    expect(message).toContain("did you mean simulated?");
    expect(message).toContain("links[0].baud");
    expect(message).toContain("axes[2].unitNme");
    expect(message).toContain("permit[0]");
  });

  test("where a reach is not within the limits", () => {
    expect(refusal(TWO.replace("reach: { min: 20, max: 420 }", "reach: { min: 20, max: 900 }")).message).toContain(
      "axes[0].reach: found 20 to 900; allowed: a stretch within the limits 0 to 800",
    );
  });

  test.each([
    ["no mapping", "- 1"],
    ["no YAML", "a: [1"],
    ["empty", ""],
    ["no axes", "rig: r\nlinks: [{ id: l, drives: real, kind: modbus-tcp, host: h }]"],
  ])("that is %s", (_what, text) => {
    expect(refusal(text).hint).toContain("nothing moved");
  });

  test("that is not there", () => {
    expect(() => readRig("/nowhere/rig.yaml")).toThrow(/cannot be read \(ENOENT\)/);
  });
});
