import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tcpWire } from "@servofleet/firmware-bridge/link/tcp-wire";
import { loadProfile, shippedProfiles } from "@servofleet/firmware-bridge/profile/load-profile";
import { scanLine } from "@servofleet/firmware-bridge/scan/scan-line";
import { scanPlan } from "@servofleet/firmware-bridge/scan/scan-plan";
import { serialWire } from "@servofleet/firmware-bridge/serial/serial-wire";
import { acquireLockFile } from "@servofleet/runtime/lock-file";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, expect, test } from "vitest";
import { type LinkConfig, parseLinks } from "../sim/links-file.ts";
import { openLink, type SimLink } from "../sim/sim-link.ts";

const CLI = fileURLToPath(new URL("../../bin/servofleet.ts", import.meta.url));
const clock = systemClock();

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "scan-"));
  ends.push(() => rmSync(made, { recursive: true }));
  return made;
}

async function simulate(link: LinkConfig): Promise<SimLink> {
  const sim = await openLink(link, clock);
  ends.push(() => sim.unplug());
  return sim;
}

/** A line with three families on it, and a fleet.yaml that knows the line and nothing else. */
async function lineOfThree() {
  const directory = folder();
  const path = join(directory, "line");
  const { links } = parseLinks(
    {
      links: [
        {
          kind: "modbus-rtu",
          id: "line_a",
          path,
          baud: 115_200,
          drives: [
            { id: "x1", unit: 1, model: "leadshine-icl-rs" },
            { id: "a1", unit: 3, model: "oriental-az" },
            { id: "z1", unit: 4, model: "mitsubishi-mr-je-c" },
          ],
        },
      ],
    },
    "test",
  );
  const [link] = links;
  if (!link) throw new Error("no link");
  const sim = await simulate(link);
  const fleet = join(directory, "fleet.yaml");
  const line = `{ id: line_a, kind: modbus-rtu, port: ${path}, baud: 115200, parity: none, stopWaitMaxMs: 800 }`;
  writeFileSync(fleet, `box: box_1\nlinks:\n  - ${line}\n`);
  return { directory, path, sim, fleet };
}

function servofleet(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, SERVOFLEET_DATA: undefined };
    execFile(process.execPath, [CLI, ...args], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });
}

const records = (sim: SimLink) => sim.ports.flatMap(({ drive }) => drive.record.list());

test("scan names every drive of a line, writes to none, and its fragment passes check", async () => {
  const { sim, fleet, directory } = await lineOfThree();
  const { code, out, err } = await servofleet(
    "scan",
    "--config",
    fleet,
    "--link",
    "line_a",
    "--units",
    "1-5",
    "--json",
  );
  expect({ code, err: err.includes("unit 3 answers at 115200 8N1") }).toEqual({ code: 0, err: true });
  const result = JSON.parse(out);
  const best = result.found.map((one: { unit: number; matches: { profile: string }[] }) => [
    one.unit,
    one.matches[0]?.profile,
  ]);
  expect(best).toEqual([
    [1, "leadshine-icl-rs"],
    [3, "oriental-az"],
    [4, "mitsubishi-mr-je-c"],
  ]);
  expect(records(sim)).toEqual([]);
  const made = join(directory, "made.yaml");
  writeFileSync(made, `box: box_1\n${result.fragment}`);
  expect(await servofleet("check", made)).toMatchObject({ code: 0 });
});

test("not one request of a scan carries a function that writes", async () => {
  const { sim, path } = await lineOfThree();
  const asked = new Set<number>();
  for (const port of sim.ports) {
    const answer = port.answer.bind(port);
    port.answer = (pdu, nowNs) => {
      asked.add(pdu[0] ?? 0);
      return answer(pdu, nowNs);
    };
  }
  const link = { id: "line_a", kind: "modbus-rtu", port: path, baud: 115_200, parity: "none", stopBits: 1 } as const;
  const config = { ...link, stopWaitMaxMs: 800 } as Parameters<typeof scanPlan>[0];
  await scanLine({
    link: config,
    plan: scanPlan(config, { units: [1, 3, 4], everySpeed: false }),
    profiles: shippedProfiles().map((name) => loadProfile(name)),
    clock,
    openWire: (setting) => serialWire({ ...link, ...setting }),
    onProgress: () => undefined,
    onFound: () => undefined,
    signal: new AbortController().signal,
  });
  expect([...asked].sort((a, b) => a - b)).toEqual([0x03, 0x2b]);
});

test("a drive behind Modbus TCP is found at its unit, and the link keeps its address", async () => {
  const drives = [{ id: "z1", unit: 255, model: "mitsubishi-mr-je-c" as const }];
  const sim = await simulate({ kind: "modbus-tcp", id: "cell", host: "127.0.0.1", port: 0, replyMs: 0, drives });
  const address = sim.address();
  const port = "port" in address ? address.port : 0;
  const link = { id: "cell", kind: "modbus-tcp", host: "127.0.0.1", port, stopWaitMaxMs: 800 } as Parameters<
    typeof scanPlan
  >[0];
  const found = await scanLine({
    link,
    plan: scanPlan(link, { units: [255], everySpeed: false }),
    profiles: shippedProfiles().map((name) => loadProfile(name)),
    clock,
    openWire: () => tcpWire({ host: "127.0.0.1", port }, clock),
    onProgress: () => undefined,
    onFound: () => undefined,
    signal: new AbortController().signal,
  });
  expect(found).toMatchObject([
    { unit: 255, setting: null, matches: [{ profile: "mitsubishi-mr-je-c", certain: true }, {}] },
  ]);
  expect(records(sim)).toEqual([]);
});

test("a line that another process holds is refused in clear words, and nothing is sent", async () => {
  const { sim, fleet, path } = await lineOfThree();
  const answered = countAnswers(sim);
  const up = new Promise<void>((resolve) => {
    const setting = { port: path, baud: 115_200, parity: "none", stopBits: 1 } as const;
    const handlers = { onUp: resolve, onBytes: () => undefined, onDown: () => undefined };
    const session = serialWire(setting).open(handlers);
    ends.push(() => session.close("end"));
  });
  await up;
  const { code, err } = await servofleet("scan", "--config", fleet, "--link", "line_a", "--units", "1");
  expect(code).toBe(1);
  expect(err).toContain("line_a is held by another process; nothing was sent");
  expect(answered()).toBe(0);
});

test("a box that runs on the data directory keeps the scan away from its lines", async () => {
  const { sim, fleet, directory } = await lineOfThree();
  const answered = countAnswers(sim);
  mkdirSync(join(directory, "data", "run"), { recursive: true });
  const lock = await acquireLockFile(join(directory, "data", "run", "supervisor.lock"));
  ends.push(() => lock.release());
  const { code, err } = await servofleet("scan", "--config", fleet, "--link", "line_a", "--units", "1");
  expect(code).toBe(1);
  expect(err).toContain("and line_a belongs to it; nothing was sent");
  expect(answered()).toBe(0);
});

test("a line that somebody else talks on is heard first and left alone", async () => {
  const { sim, fleet } = await lineOfThree();
  const answered = countAnswers(sim);
  const chatter = clock.every(20, () => sim.inject(Uint8Array.of(1, 3, 0, 0)));
  ends.push(() => chatter.cancel());
  const { code, err } = await servofleet("scan", "--config", fleet, "--link", "line_a", "--units", "1");
  expect(code).toBe(1);
  expect(err).toContain("another master talks on this line");
  expect(answered()).toBe(0);
});

test("where nobody answers it says what to try, and an unknown link names the right one", async () => {
  const { fleet, directory } = await lineOfThree();
  const nobody = await servofleet("scan", "--config", fleet, "--link", "line_a", "--units", "9");
  expect(nobody).toMatchObject({ code: 1, out: expect.stringContaining("nobody answers, 1 unit asked at 115200 8N1") });
  const wrong = await servofleet("scan", "--config", fleet, "--link", "line_b");
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("did you mean line_a?") });
  expect(readdirSync(directory).sort()).toEqual(["fleet.yaml", "line"]);
});

function countAnswers(sim: SimLink): () => number {
  let count = 0;
  for (const port of sim.ports) {
    const answer = port.answer.bind(port);
    port.answer = (pdu, nowNs) => {
      count++;
      return answer(pdu, nowNs);
    };
  }
  return () => count;
}
