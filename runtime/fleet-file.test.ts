import { describe, expect, test } from "vitest";
import { type FleetCheck, FleetFileError, parseFleet } from "./fleet-file.ts";

const good = `
box: press_line_1
links:
  - { id: line_a, kind: modbus-rtu, port: /dev/ttyUSB0, baud: 115200, parity: even, stopBits: 1 }
  - { id: cell_2, kind: modbus-tcp, host: 192.0.2.10, port: 502 }
axes:
  - { id: x1, link: line_a, unit: 3, profile: leadshine-icl-rs, countsPerUnit: 100, limits: { min: 0, max: 800, velocity: 500, acceleration: 5000 } }
groups:
  - { id: gantry, axes: [x1] }
`;

function refused(text: string, env = {}): FleetFileError {
  try {
    parseFleet(text, "/etc/fleet.yaml", env);
  } catch (error) {
    if (error instanceof FleetFileError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** Whether a line of the good file is an item of that list. */
const isItemOf = (list: string, line: string): boolean =>
  ({ links: /id: (line_a|cell_2), kind/, axes: /id: x1, link/, groups: /id: gantry/ })[list]?.test(line) ?? false;

describe("fleet.yaml", () => {
  test("a short file is completed with the documented defaults", () => {
    const config = parseFleet(good, "/etc/servofleet/fleet.yaml");
    expect(config.http).toEqual({ host: "127.0.0.1", port: 8080 });
    expect(config.data).toBe("/etc/servofleet/data");
    expect(config.axes[0]).toMatchObject({
      unitName: "mm",
      onShutdown: "stop",
      onRestartMoving: "stop",
      onControllerLost: "stop",
      homing: { required: true, method: 17 },
      poll: { movingMs: 20, idleMs: 200 },
    });
    expect(config.messaging).toBe("embedded");
  });

  test("names that do not fit together are told beside mistakes of shape, in one go", () => {
    const second =
      "  - { id: x2, link: line_z, unit: 4, profile: leadshine-icl-rs, countsPerUnit: 0, limits: { min: 9, max: 0, velocity: 500, acceleration: 5000 } }";
    const error = refused(
      good
        .replace("baud: 115200", "baud: fast")
        .replace("unit: 3,", "unit: three,")
        .replace("groups:", `${second}\ngroups:`),
    );
    expect(error.complaints.map(({ path }) => path)).toEqual([
      "links[0].baud",
      "axes[0].unit",
      "axes[1].link",
      "axes[1].countsPerUnit",
      "axes[1].limits",
    ]);
    expect(error.complaints[2]?.allowed).toBe("line_a, cell_2");
  });

  test("one wrong field of an axis does not hide what is wrong with its others", () => {
    const error = refused(
      good
        .replace("unit: 3,", "unit: 300,")
        .replace("countsPerUnit: 100", "countsPerUnit: 0")
        .replace("min: 0", "min: 900"),
    );
    expect(error.complaints.map(({ path }) => path)).toEqual([
      "axes[0].unit",
      "axes[0].countsPerUnit",
      "axes[0].limits",
    ]);
  });

  test("a further check is heard beside the file's own mistakes, and told what it may look at", () => {
    const asked: boolean[] = [];
    const check: FleetCheck = (_config, isSound) => {
      asked.push(isSound("axes[0].profile"), isSound("axes[0].unit"), isSound("axes[0]"));
      return [{ path: "axes[0].profile", found: '"x"', allowed: "y", nearest: undefined }];
    };
    const file = good.replace("unit: 3,", "unit: three,");
    expect(() => parseFleet(file, "/etc/fleet.yaml", {}, [check])).toThrow(/2 things are wrong.*axes\[0\]\.profile/s);
    expect(asked).toEqual([true, false, false]);
  });

  test.each(["links: 7", "links: [7]", "links: [{}]", "axes: [null]", "axes: [{ id: x1 }]", "groups: [{ id: g }]"])(
    "a file with %s is refused with complaints and not with a crash",
    (line) => {
      const name = line.split(":")[0] ?? "";
      const rest = good.split("\n").filter((text) => !text.startsWith(`${name}:`));
      expect(refused([...rest.filter((text) => !isItemOf(name, text)), line].join("\n")).code).toBe("not-valid");
    },
  );

  test("the environment overrides port, address and data directory", () => {
    const config = parseFleet(good, "/etc/fleet.yaml", {
      SERVOFLEET_PORT: "0",
      SERVOFLEET_HOST: "127.0.0.2",
      SERVOFLEET_DATA: "/tmp/d",
    });
    expect(config).toMatchObject({ http: { host: "127.0.0.2", port: 0 }, data: "/tmp/d" });
  });

  test("every mistake is named at once, with its path, what was found, what is allowed and the nearest spelling", () => {
    const error = refused(
      good
        .replace("baud:", "baudd:")
        .replace("parity: even", "parity: evn")
        .replace("max: 800", "max: high")
        .replace("box: press_line_1", "box: Press-1"),
    );
    expect(error.code).toBe("not-valid");
    expect(error.complaints.map((complaint) => [complaint.path, complaint.nearest])).toEqual([
      ["box", undefined],
      ["links[0].baudd", "baud"],
      ["links[0].parity", "even"],
      ["axes[0].limits.max", undefined],
    ]);
    expect(error.message).toContain(
      'links[0].parity: found "evn"; allowed: "none" or "even" or "odd"; did you mean even?',
    );
  });

  test("an unknown kind of link names the kinds there are", () => {
    expect(refused(good.replace("kind: modbus-tcp", "kind: modbus-tpc")).complaints).toEqual([
      {
        path: "links[1].kind",
        found: '"modbus-tpc"',
        allowed: expect.stringContaining('"modbus-tcp"'),
        nearest: "modbus-tcp",
      },
    ]);
  });

  test("names that do not exist, are used twice or share a unit are found", () => {
    const twice = good
      .replace(
        "groups:",
        "  - { id: x2, link: line_b, unit: 3, profile: leadshine-icl-rs, countsPerUnit: 0, limits: { min: 9, max: 1, velocity: 5, acceleration: 5 } }\n  - { id: x3, link: line_a, unit: 3, profile: p, countsPerUnit: 1, limits: { min: 0, max: 1, velocity: 50, acceleration: 5 } }\ngroups:",
      )
      .replace("axes: [x1]", "axes: [x1, y9]");
    expect(refused(twice).complaints.map((complaint) => complaint.path)).toEqual([
      "axes[1].link",
      "axes[1].countsPerUnit",
      "axes[1].limits",
      "axes[1].homing.velocity",
      "axes[2].unit",
      "groups[0].axes[1]",
    ]);
  });

  test("text that is not YAML and a file that is not there are refused with words", () => {
    expect(refused("box: [").code).toBe("not-yaml");
    expect(refused("just words").complaints[0]).toMatchObject({ path: "", allowed: "a mapping" });
  });
});
