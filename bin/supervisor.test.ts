import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@servofleet/runtime/system-clock";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RESTART_MAX_MS, RESTART_MIN_MS, ServiceStartError, type Supervisor, supervise } from "./supervisor.ts";

/** A real process that writes its name when it starts and when it ends, and does with its words what they say. */
const SCRIPT = `
import { appendFileSync } from "node:fs";
const [name, manner, diary] = process.argv.slice(2);
appendFileSync(diary, "start " + name + " " + (process.env.SERVOFLEET_PORT ?? "-") + "\\n");
if (manner === "stillborn") process.exit(3);
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
process.on("message", ({ type }) => {
  if (type !== "shut-down" || manner === "stubborn") return;
  appendFileSync(diary, "end " + name + "\\n");
  process.exit(0);
});
process.send({ type: "ready", ...(name === "gateway" ? { address: "http://127.0.0.1:4711" } : {}) });
`;

/** How long a test believes in a condition. */
const LIMIT_MS = 60_000;
/** A stubborn service is waited for in vain, a good one as long as a busy machine needs. */
const STOP_LIMIT_MS = { good: LIMIT_MS, stubborn: 300, stillborn: 300 } as const;
/** On which nothing has ever lived for long: a busy machine must not look like a service that ran for a while. */
const clock = { ...systemClock(), monotonicMs: () => 0 };

let directory: string;
let supervisor: Supervisor | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "supervisor-"));
  writeFileSync(join(directory, "service.mjs"), SCRIPT);
});
afterEach(async () => {
  await supervisor?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const diary = (): string[] => readFileSync(join(directory, "diary"), "utf8").trim().split("\n");

function start(services: Record<string, "good" | "stubborn" | "stillborn">, lines: string[] = []): Supervisor {
  const specs = Object.entries(services).map(([name, manner]) => ({
    name,
    args: [name, manner, join(directory, "diary")],
    stopLimitMs: STOP_LIMIT_MS[manner],
  }));
  const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  const parts = { clock, logger, env: {}, entry: join(directory, "service.mjs") };
  supervisor = supervise(specs, parts);
  return supervisor;
}

test("it is ready with the gateway's address, and stops its services one after the other in their order", async () => {
  const running = start({ controller: "good", gateway: "good", dashboard: "good" });
  expect(await running.ready).toBe("http://127.0.0.1:4711");
  await Promise.all([running.stop(), running.stop()]);
  expect(diary().slice(-3)).toEqual(["end controller", "end gateway", "end dashboard"]);
  expect(Object.values(running.pids())).toEqual([undefined, undefined, undefined]);
});

test("what dies is started again with a longer pause each time, on the port it had", async () => {
  const lines: string[] = [];
  const running = start({ controller: "good", gateway: "good" }, lines);
  await running.ready;
  const other = running.pids()["controller"];
  for (let kills = 1; kills <= 3; kills++) {
    await vi.waitFor(
      () => expect(diary().filter((line) => line.startsWith("start gateway"))).toHaveLength(kills),
      LIMIT_MS,
    );
    process.kill(running.pids()["gateway"] ?? 0, "SIGKILL");
    await vi.waitFor(() => expect(lines).toHaveLength(kills), LIMIT_MS);
  }
  const pauses = lines.map((line) => (JSON.parse(line) as { restartMs: number }).restartMs);
  expect(pauses).toEqual([RESTART_MIN_MS, RESTART_MIN_MS * 2, RESTART_MIN_MS * 4]);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(RESTART_MAX_MS);
  await vi.waitFor(() => expect(diary().at(-1)).toBe("start gateway 4711"), LIMIT_MS);
  expect(running.pids()["controller"], "nobody else was touched").toBe(other);
});

test("a service that does not end in its time is killed, and the next one is stopped all the same", async () => {
  const lines: string[] = [];
  const running = start({ controller: "stubborn", gateway: "good" }, lines);
  await running.ready;
  await running.stop();
  expect(lines.join()).toContain("killed");
  expect(diary().at(-1)).toBe("end gateway");
});

test("a service that ends before it is ready is told by name and code, and nothing is started after a stop", async () => {
  const running = start({ controller: "good", gateway: "stillborn" });
  const error = await running.ready.catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ServiceStartError);
  expect(error).toMatchObject({ facts: { service: "gateway", code: 3, signal: null } });
  await running.stop();
  expect(Object.values(running.pids())).toEqual([undefined, undefined]);
});
