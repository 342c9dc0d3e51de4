import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RecordedEvent, rfc3339 } from "@servofleet/contracts";
import { openLogReader } from "@servofleet/runtime/log-reader";
import { canonicalRow, chainHash, genesisHash, LOG_TABLES } from "@servofleet/runtime/log-schema";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 5 });
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "servofleet-read-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const fleetLog = () => {
  const log = new LogBuilder();
  log.configured(testFleet());
  log.move("c1", 10);
  return log;
};

describe("the read side as a process", () => {
  it("goes on from its files after a restart, with events that came meanwhile", async () => {
    const log = fleetLog();
    const first = await startRig(new MemoryLogSource(log.events), { directory });
    await first.stop();
    log.state({ state: "disabled" });
    const reads: number[] = [];
    const source = new MemoryLogSource(log.events);
    const { readAfter } = source;
    source.readAfter = (position, limit) => {
      reads.push(position);
      return readAfter(position, limit);
    };
    const second = await startRig(source, { directory });
    expect((await second.get("/v1/axes/x1")).body).toMatchObject({ state: "disabled", commanded: { position: 10 } });
    expect(Math.min(...reads)).toBeGreaterThanOrEqual(log.events.length - 2);
    await second.stop();
  });

  it("is rebuilt to the same answers when its files are deleted or damaged", async () => {
    const log = fleetLog();
    const source = new MemoryLogSource(log.events);
    const first = await startRig(source, { directory });
    const before = (await first.get("/v1/commands")).body;
    await first.stop();
    const files = join(directory, "read", "g1");
    for (const name of await readdir(files))
      if (name.endsWith(".db")) await writeFile(join(files, name), "this is not a database, it is a sentence");
    const second = await startRig(source, { directory });
    expect((await second.get("/v1/commands")).body).toEqual(before);
    await second.stop();
  });

  it("halts one projection on a fact it cannot take, raises the alarm, and goes on with the others", async () => {
    const log = fleetLog();
    const source = new MemoryLogSource(log.events);
    const rig = await startRig(source, { directory });
    const broken = { ...log.add("link-line_a", "LinkWentDown", { reason: "x" }), data: null as never };
    source.append(broken);
    log.add("axis-x1", "StopLatched", stop);
    source.append(...log.events.slice(-1));
    const axis = (await rig.get(`/v1/axes/x1?minPosition=L.${log.events.length}&waitMs=10000`)).body;
    expect(axis.stopLatched).toBe(true);
    const halted = await rig.get("/v1/links");
    expect(halted.status).toBe(200);
    expect(halted.headers["x-position"]).toBe(`L.${broken.position - 1}`);
    await until(async () => {
      const later = await rig.get("/v1/links");
      expect(Number(later.headers["x-lag-ms"])).toBeGreaterThan(Number(halted.headers["x-lag-ms"]));
    });
    const alarms = (await rig.get("/v1/alarms")).body.items;
    expect(alarms).toContainEqual(
      expect.objectContaining({ kind: "read-model-halted", source: "links", state: "active" }),
    );
    expect((await rig.get("/readyz")).body.status).toBe("degraded");
    await rig.stop();
  });

  it("answers with what it has while the log cannot be read, and catches up after", async () => {
    const log = fleetLog();
    const source = new MemoryLogSource(log.events);
    const { follow } = source;
    const gone = new Error("the disk is gone");
    let isGone = false;
    let fail: (error: Error) => void = () => undefined;
    source.follow = (after, onBatch, signal) =>
      isGone
        ? Promise.reject(gone)
        : Promise.race([follow(after, onBatch, signal), new Promise<never>((_, reject) => (fail = reject))]);
    const { readAfter } = source;
    source.readAfter = (position, limit) => (isGone ? Promise.reject(gone) : readAfter(position, limit));
    const rig = await startRig(source, { directory });
    // Until it has been seen: a test that looks away must not miss a disk that is gone for a moment.
    isGone = true;
    fail(gone);
    await until(async () => expect(Number((await rig.get("/v1/axes")).headers["x-lag-ms"])).toBeGreaterThan(0));
    expect((await rig.get("/v1/axes/x1")).status).toBe(200);
    isGone = false;
    await until(async () => expect((await rig.get("/v1/axes")).headers["x-lag-ms"]).toBe("0"));
    source.append(log.state({ state: "disabled" }));
    const after = await rig.get(`/v1/axes/x1?minPosition=L.${log.events.length}&waitMs=10000`);
    expect(after.body.state).toBe("disabled");
    await rig.stop();
  });

  it("says that its log is lost when another one stands in its place, and still answers", async () => {
    const log = fleetLog();
    const source = new MemoryLogSource(log.events);
    source.follow = () => Promise.reject(Object.assign(new Error("another log"), { code: "log-replaced" }));
    const rig = await startRig(source, { directory });
    expect(await rig.lost).toMatchObject({ code: "log-replaced" });
    expect((await rig.get("/readyz")).status).toBe(503);
    expect((await rig.get("/v1/axes/x1")).status).toBe(200);
    await rig.stop();
  });

  it("follows a real log file that another connection writes", async () => {
    const file = join(directory, "events.db");
    const writer = await SqliteDatabase.open(file);
    await writer.exec(`PRAGMA journal_mode=WAL; ${LOG_TABLES}; INSERT INTO log_meta VALUES (1, 'real', 1, 1);`);
    const log = fleetLog();
    let hash = genesisHash("real");
    const write = async (event: RecordedEvent) => {
      const { data, ...rest } = event;
      const row = { ...rest, data: JSON.stringify(data) };
      hash = chainHash(hash, canonicalRow(row));
      await writer.run("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", [
        row.position,
        row.stream,
        row.version,
        row.id,
        row.type,
        row.schema,
        row.wallUs,
        row.monoNs,
        row.boot,
        row.epoch,
        row.commandId,
        row.correlationId,
        row.causationId,
        row.actor,
        row.traceparent,
        row.data,
        Buffer.from(hash, "hex"),
      ]);
    };
    for (const event of log.events) await write(event);
    const reader = await openLogReader({ file, clock: systemClock() });
    const rig = await startRig(reader, { directory });
    expect((await rig.get("/v1/commands/c1")).body.state).toBe("succeeded");
    const waiting = rig.get(`/v1/axes/x1?minPosition=real.${log.events.length + 1}&waitMs=9000`);
    await write(log.add("axis-x1", "StopLatched", stop));
    expect((await waiting).body.stopLatched).toBe(true);
    const past = await rig.get(`/v1/axes/x1?at=${rfc3339(log.events[6]?.wallUs ?? 0)}`);
    expect(past.headers["x-position"]).toBe("real.7");
    expect(past.body).toMatchObject({ state: "discrete-motion", stopLatched: false });
    await rig.stop();
    await reader.close();
    await writer.close();
  });
});

const stop = {
  stopId: "s1",
  stopGeneration: 1,
  scope: "axis",
  reason: "operator",
  principal: "local",
  at: "2026-11-21T10:15:00.000000Z",
};
