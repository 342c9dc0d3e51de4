import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyLog } from "@servofleet/controller/event-log/log-verify";
import { openEventLog } from "@servofleet/controller/event-log/open-event-log";
import { ControllerRig } from "@servofleet/controller/testing/controller-rig";
import { openLogReader } from "@servofleet/runtime/log-reader";
import { SqliteDatabase, SqliteError } from "@servofleet/runtime/sqlite";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { ControllerProcess, type CrashAnswer } from "./controller-process.ts";
import { DiskFaults } from "./disk-faults.ts";
import { recorderEnvironment } from "./disk-recorder.ts";
import type { Weakness } from "./log-life-plan.ts";

const WAIT = { timeout: 90_000, interval: 5 };
const LIMIT = { timeout: 300_000 };
/** Far longer than a test: what is heard meanwhile was not waiting for the disk. */
const FOR_EVER_MS = 600_000;
const clock = systemClock();
let root = "";
let directory = "";
let faults: DiskFaults;
const lives: ControllerProcess[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "bad-disk-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
let number = 0;
beforeEach(async () => {
  directory = join(root, `disk-${++number}`);
  await mkdir(directory);
  faults = new DiskFaults(join(root, `faults-${number}`));
});
afterEach(async () => {
  faults.heal();
  for (const life of lives.splice(0)) {
    life.kill("SIGKILL");
    await life.end();
  }
  faults.close();
});

async function controller(more: { socket?: string; weakness?: Weakness } = {}): Promise<ControllerProcess> {
  const env = await recorderEnvironment({ directory, faultsFile: faults.file });
  const life = new ControllerProcess(directory, { env, ...more });
  lives.push(life);
  await life.start();
  await life.ready();
  return life;
}
const move = (life: ControllerProcess, axis: string, headers = {}): Promise<CrashAnswer> =>
  life.ask("POST", `/v1/axes/${axis}/commands`, { type: "MoveAbsolute", position: 5, velocity: 10 }, headers);
/** Asks until it is accepted: a controller that heard no beat while this process looked away refuses for that alone. */
const accepted = (life: ControllerProcess, axis: string): Promise<CrashAnswer> =>
  vi.waitFor(async () => {
    const answer = await move(life, axis);
    expect(answer.status).toBe(202);
    return answer;
  }, WAIT);
const moves = (life: ControllerProcess, axis: string) => life.bridge.orders.filter((order) => order.axis === axis);

/** Asks for a stop and waits until the bridge has it; the answer, which may need the disk, is left on its way. */
async function stopIsHeard(life: ControllerProcess, axis: string): Promise<void> {
  void life.ask("POST", `/v1/axes/${axis}/stop`).catch(() => undefined);
  await vi.waitFor(() => expect(life.bridge.stops.map((stop) => stop.axis as string)).toContain(axis), WAIT);
}

describe("a stop reaches the bridge, and a move, the control, does not", () => {
  test("while an fsync does not end", LIMIT, async () => {
    const life = await controller();
    faults.slowSyncs(FOR_EVER_MS);
    const moved = move(life, "x0");
    await vi.waitFor(() => expect(faults.syncsUnderWay).toBeGreaterThan(0), WAIT);
    await stopIsHeard(life, "x0");
    expect(faults.syncsUnderWay).toBeGreaterThan(0);
    expect(moves(life, "x0")).toEqual([]);
    faults.slowSyncs(0);
    await moved;
    // The stop raised the generation: the late move must not follow it.
    expect(moves(life, "x0")).toEqual([]);
  });

  test("on a full disk, and motion comes back with the room, without a restart", LIMIT, async () => {
    const life = await controller();
    await accepted(life, "x1");
    faults.failWrites("ENOSPC");
    expect((await move(life, "x0")).status).toBeGreaterThanOrEqual(500);
    await stopIsHeard(life, "x0");
    expect(moves(life, "x0")).toEqual([]);
    expect(faults.given).toBeGreaterThan(0);
    faults.failWrites(null);
    await accepted(life, "x2");
    expect(life.ended).toBe(false);
    expect(await verifyLog(join(directory, "events.db"), clock)).toMatchObject({ ok: true });
  });

  test("on a full disk that the writer will not hear of, the control, a move is accepted and lost", LIMIT, async () => {
    const life = await controller({ weakness: "swallows-full-disk" });
    faults.failWrites("ENOSPC");
    const moved = await accepted(life, "x0");
    const reader = await openLogReader({ file: join(directory, "events.db"), clock });
    onTestFinished(() => reader.close());
    expect(await reader.findById(String(moved.body["commandId"]))).toBeUndefined();
  });

  test("on a disk that has become read-only", LIMIT, async () => {
    const life = await controller();
    faults.failWrites("EROFS");
    const moved = move(life, "x0").catch(() => undefined);
    await stopIsHeard(life, "x3");
    expect((await moved)?.status ?? 503).toBeGreaterThanOrEqual(500);
    expect(moves(life, "x0")).toEqual([]);
  });

  test("on a poisoned log", LIMIT, async () => {
    let failing = false;
    const openLog = (
      path: string,
      ...[time, random]: Parameters<NonNullable<Rig["openLog"]>> extends [string, ...infer R] ? R : never
    ) =>
      openEventLog({
        directory: path,
        clock: time,
        random,
        box: "test_box",
        openWriter: (file) => ioErrors(file, () => failing),
      });
    const rig = await ControllerRig.start({ openLog });
    onTestFinished(() => rig.kill());
    await rig.ready();
    failing = true;
    const moved = await rig.ask("POST", "/v1/axes/x1/commands", {
      body: { type: "MoveAbsolute", position: 5, velocity: 10 },
    });
    expect(moved.status).toBeGreaterThanOrEqual(500);
    expect(rig.log.trouble).toBe("log-poisoned");
    const stopped = rig.ask("POST", "/v1/axes/x1/stop");
    await vi.waitFor(() => expect(rig.bridge?.stops).toHaveLength(1), WAIT);
    expect(rig.bridge?.orders).toEqual([]);
    await stopped;
  });

  test("of an axis that somebody else has a lease on", LIMIT, async () => {
    const life = await controller();
    expect((await life.ask("POST", "/v1/leases", { axes: ["x0"] })).status).toBe(201);
    expect((await move(life, "x0")).status).toBeGreaterThanOrEqual(400);
    await stopIsHeard(life, "x0");
    expect(moves(life, "x0")).toEqual([]);
  });

  test("while the controller shuts down over a disk that does not answer", LIMIT, async () => {
    const life = await controller();
    const heard: string[] = [];
    life.bus.subscribe("stops", (stop) => heard.push(stop.axis));
    faults.slowSyncs(FOR_EVER_MS);
    life.kill("SIGTERM");
    await vi.waitFor(() => expect(life.bridge.heard.map(({ type }) => type)).toContain("shut-down"), WAIT);
    const moved = move(life, "x1").catch(() => undefined);
    const stopped = life.ask("POST", "/v1/axes/x0/stop").catch(() => undefined);
    await vi.waitFor(() => expect(heard).toEqual(["x0"]), WAIT);
    faults.slowSyncs(0);
    expect((await moved)?.status ?? 503).toBeGreaterThanOrEqual(400);
    await stopped;
    expect(await life.end()).toBe(0);
  });
});

/** The controller is stopped by the kernel, its lock is taken from it, perhaps somebody else goes on, and it comes back. */
async function comesBack(withSuccessor: boolean): Promise<{ old: ControllerProcess; answer: CrashAnswer | undefined }> {
  const old = await controller({ socket: "old" });
  // Stopped in the middle of a commit it would hold SQLite's own lock: then it is let go for another moment.
  await vi.waitFor(async () => {
    old.kill("SIGCONT");
    await vi.waitFor(() => expect(faults.syncsUnderWay).toBe(0), WAIT);
    old.kill("SIGSTOP");
    for (const name of ["events.lock", "events.lock.owner"]) await rm(join(directory, name), { force: true });
    if (withSuccessor) await accepted(await controller({ socket: "new" }), "x0");
  }, WAIT);
  old.kill("SIGCONT");
  // It has to hear its bridge again first, else it refuses for that alone.
  const answered: (CrashAnswer | undefined)[] = [];
  await vi.waitFor(async () => {
    const answer = await move(old, "x1").catch(() => undefined);
    answered.push(answer);
    expect(old.ended || answer === undefined || answer.status === 202 || old.words.includes("log")).toBe(true);
  }, WAIT);
  return { old, answer: answered.find((answer) => answer?.status === 202) };
}

describe("a controller that was stopped for long and comes back", () => {
  test("is fenced by the one that took over: nothing accepted, nothing sent, and it goes", LIMIT, async () => {
    const { old, answer } = await comesBack(true);
    expect(answer).toBeUndefined();
    expect(await old.end()).toBe(70);
    expect(moves(old, "x1")).toEqual([]);
    expect(await verifyLog(join(directory, "events.db"), clock)).toMatchObject({ ok: true });
  });

  test("goes on where nobody did, which is the control", LIMIT, async () => {
    const { old, answer } = await comesBack(false);
    expect(answer?.status).toBe(202);
    await vi.waitFor(() => expect(moves(old, "x1").length).toBeGreaterThan(0), WAIT);
  });
});

type Rig = NonNullable<Parameters<typeof ControllerRig.start>[0]>;

/** A real database whose inserts fail when told to. */
async function ioErrors(file: string, failing: () => boolean): Promise<SqliteDatabase> {
  const real = await SqliteDatabase.open(file);
  const run = real.run.bind(real);
  real.run = (sql, params) => {
    if (failing()) return Promise.reject(new SqliteError("SQLITE_IOERR", { file }, "injected"));
    return run(sql, params);
  };
  return real;
}
