import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FleetFileError } from "@servofleet/runtime/fleet-file";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linkBudgets } from "./link-budget.ts";
import { readFleetToStart, refuseOverload } from "./start-checks.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "start-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const fleet = (profile: string, host = "127.0.0.1", baud = 115200, idleMs = 200) => `
box: press_line_1
http: { host: ${host} }
links: [{ id: line_a, kind: modbus-rtu, port: /dev/ttyUSB0, baud: ${baud} }]
axes:
  - { id: x1, link: line_a, unit: 3, profile: ${profile}, countsPerUnit: 100, poll: { movingMs: 2, idleMs: ${idleMs} },
      limits: { min: 0, max: 800, velocity: 500, acceleration: 5000 } }
groups: []
`;

function write(text: string): string {
  const file = join(directory, "fleet.yaml");
  writeFileSync(file, text);
  return file;
}

function complaintsOf(start: () => unknown): FleetFileError["complaints"] {
  try {
    start();
    return [];
  } catch (error) {
    if (error instanceof FleetFileError) return error.complaints;
    throw error;
  }
}

test("a file whose profiles load and whose address is a loopback one may start", () => {
  const file = write(fleet("leadshine-icl-rs"));
  const config = readFleetToStart(file, {});
  expect(config.axes[0]?.profile).toBe("leadshine-icl-rs");
  expect(() => refuseOverload(config, file)).not.toThrow();
});

test("an unknown profile and a foreign address are told with the other mistakes, before anything starts", () => {
  const file = write(fleet("leadshine-icl-sr", "0.0.0.0", 115200, 0));
  expect(complaintsOf(() => readFleetToStart(file, {}))).toMatchObject([
    { path: "axes[0].poll.idleMs" },
    { path: "axes[0].profile", found: '"leadshine-icl-sr"', nearest: "leadshine-icl-rs" },
    { path: "http.host", found: '"0.0.0.0"', allowed: expect.stringContaining("no users yet") },
  ]);
});

test("a profile of one's own that is not there or not good says what is wrong with it", () => {
  expect(complaintsOf(() => readFleetToStart(write(fleet("./mine.json")), {}))).toMatchObject([
    { path: "axes[0].profile", allowed: expect.stringContaining("ENOENT") },
  ]);
  writeFileSync(join(directory, "mine.json"), "{}");
  expect(complaintsOf(() => readFleetToStart(write(fleet("./mine.json")), {}))).toMatchObject([
    { path: "axes[0].profile", allowed: expect.stringContaining("found nothing") },
  ]);
});

test("polls that a line has no time for are refused with the numbers and a plan that would fit", () => {
  const file = write(fleet("leadshine-icl-rs", "127.0.0.1", 9600, 10));
  const config = readFleetToStart(file, {});
  expect(complaintsOf(() => refuseOverload(config, file))).toMatchObject([
    { path: "links[0]", found: expect.stringMatching(/line_a .* %/), allowed: expect.stringContaining("poll.idleMs") },
  ]);
});

test("the plan that a refusal offers fits when it is taken", () => {
  const file = write(fleet("leadshine-icl-rs", "127.0.0.1", 9600, 10));
  const config = readFleetToStart(file, {});
  const [budget] = linkBudgets(config, file);
  expect(budget).toMatchObject({ fits: false, axes: 1 });
  const [planned] = budget?.plan?.axes ?? [];
  expect(planned?.idleMs).toBeGreaterThan(10);
  const changed = readFleetToStart(write(fleet("leadshine-icl-rs", "127.0.0.1", 9600, planned?.idleMs)), {});
  expect(() => refuseOverload(changed, file)).not.toThrow();
  // One millisecond less would not have done.
  const less = readFleetToStart(write(fleet("leadshine-icl-rs", "127.0.0.1", 9600, (planned?.idleMs ?? 0) - 1)), {});
  expect(() => refuseOverload(less, file)).toThrow(FleetFileError);
});

test("a line that would tell its last axis too late to stop is refused, with a stopWaitMaxMs that would do", () => {
  const file = write(fleet("leadshine-icl-rs").replace("baud: 115200", "baud: 9600, stopWaitMaxMs: 1000"));
  const config = readFleetToStart(file, {});
  const [complaint] = complaintsOf(() => refuseOverload(config, file));
  expect(complaint?.found).toMatch(/line_a with a last axis that may wait .* ms for its stop/);
  const waitMs = Number(/stopWaitMaxMs: (\d+)/.exec(complaint?.allowed ?? "")?.[1]);
  const changed = write(fleet("leadshine-icl-rs").replace("baud: 115200", `baud: 9600, stopWaitMaxMs: ${waitMs}`));
  expect(() => refuseOverload(readFleetToStart(changed, {}), changed)).not.toThrow();
});

test("a servo whose watchdog would trip by itself is refused in words, with settings under which it would not", () => {
  const servo = (more: string, idleMs: number) =>
    fleet("dynamixel-x", "127.0.0.1", 1_000_000, idleMs).replace("kind: modbus-rtu", `kind: dynamixel${more}`);
  const refused = (more: string, idleMs: number) => {
    const file = write(servo(more, idleMs));
    return complaintsOf(() => refuseOverload(readFleetToStart(file, {}), file));
  };
  expect(refused("", 200)).toEqual([]);
  expect(refused("", 2600)).toMatchObject([
    {
      found: expect.stringMatching(/x1, whose own watchdog .* 2000 ms .* every 2600 ms/),
      allowed: expect.stringMatching(/idleMs: 1000 \(x1\)/),
    },
  ]);
  expect(refused(", stopWaitMaxMs: 700", 200)).toMatchObject([
    {
      found: expect.stringContaining("2100 ms when 3 answers are lost"),
      allowed: expect.stringMatching(/stopWaitMaxMs: 333/),
    },
  ]);
  expect(refused(", stopWaitMaxMs: 333", 1000)).toEqual([]);
});
