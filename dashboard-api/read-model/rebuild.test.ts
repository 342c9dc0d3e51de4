import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";
import { type RebuildProgress, rebuildBeside } from "./rebuild.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "servofleet-rebuild-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const MOVES = 150;
const signal = new AbortController().signal;

function longLog(): LogBuilder {
  const log = new LogBuilder();
  log.configured(testFleet());
  for (let n = 0; n < MOVES; n++) log.move(`c${n}`, n);
  return log;
}

const rebuild = (log: MemoryLogSource, progress: (progress: RebuildProgress) => void = () => undefined) =>
  rebuildBeside({ log, readDirectory: join(directory, "read"), clock: systemClock(), progress, signal });

/** Changes one stored row behind the service's back. */
async function drift(view: string): Promise<void> {
  const files = join(directory, "read", "g1");
  const name = (await readdir(files)).find((entry) => entry.startsWith(view) && entry.endsWith(".db"));
  const db = await SqliteDatabase.open(join(files, name ?? ""));
  await db.run("UPDATE rows SET json = json_set(json, '$.principal', 'nobody') WHERE key = 'c7'");
  await db.close();
}

describe("a rebuild", () => {
  it("takes over while queries run and the log grows: none fails and none goes back in time", async () => {
    const built = longLog();
    const log = new MemoryLogSource(built.events);
    const rig = await startRig(log, { directory });
    let done = false;
    const asked = { count: 0, switches: 0 };
    const paths = ["/v1/axes", "/v1/axes/x1", "/v1/commands?limit=50", "/v1/commands/c3", "/v1/alarms", "/v1/links"];
    const ask = async (path: string) => {
      let newest = 0;
      while (!done) {
        const { status, headers } = await rig.get(path);
        const position = Number(String(headers["x-position"]).split(".")[1]);
        expect({ path, status, back: position < newest }).toEqual({ path, status: 200, back: false });
        newest = position;
        asked.count++;
      }
    };
    const past = async () => {
      while (!done) expect((await rig.get("/v1/commands?atPosition=900&limit=3")).status).toBe(200);
    };
    const grow = async () => {
      for (let n = 0; !done; n++) {
        const from = built.events.length;
        built.move(`d${n}`, n % 800);
        log.append(...built.events.slice(from));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const running = Promise.all([...paths.map(ask), past(), grow()]);
    try {
      for (const generation of [2, 3]) {
        const found = await rebuild(log);
        expect(found.generation).toBe(generation);
        expect(found.projections.filter(({ same }) => same === false)).toEqual([]);
        const { status, body } = await rig.switchTo(generation);
        expect(status).toBe(200);
        expect(body.items.every(({ sameInMemory }: { sameInMemory: boolean }) => sameInMemory)).toBe(true);
        asked.switches++;
      }
    } finally {
      done = true;
      await running;
    }
    expect(asked).toMatchObject({ switches: 2 });
    expect(asked.count).toBeGreaterThan(paths.length);
    expect(await readFile(join(directory, "read", "current.json"), "utf8")).toBe('{"generation":3}\n');
    await rig.stop();
    // The next start goes on from the files that took over.
    const again = await startRig(log, { directory });
    expect((await again.get("/v1/commands/c3")).body.state).toBe("succeeded");
    expect((await readdir(join(directory, "read"))).filter((name) => name.startsWith("g"))).toEqual(["g3"]);
    await again.stop();
  });

  it("names the row that had drifted, and mends it", async () => {
    const built = longLog();
    const log = new MemoryLogSource(built.events);
    await (await startRig(log, { directory })).stop();
    await drift("commands");
    const rig = await startRig(log, { directory });
    const seen: string[] = [];
    const found = await rebuild(log, ({ step }) => seen.push(step));
    const differing = found.projections.filter(({ same }) => same === false);
    expect(differing).toMatchObject([{ projection: "commands", differing: 1, firstDifference: "c7", rows: MOVES }]);
    expect(differing[0]?.checksum).not.toBe(differing[0]?.liveChecksum);
    expect(new Set(seen)).toEqual(new Set(["building", "comparing", "catching-up"]));
    await rig.switchTo(found.generation);
    expect((await rig.get("/v1/commands/c7")).body.principal).toBe("local");
    await rig.stop();
  });

  it("leaves everything as it is when an event cannot be taken, and when files do not fit", async () => {
    const built = longLog();
    const log = new MemoryLogSource(built.events);
    const rig = await startRig(log, { directory });
    const { status, body } = await rig.switchTo(7);
    expect([status, body.remedy]).toEqual([503, expect.stringContaining("another version")]);
    log.append({ ...built.add("link-line_a", "LinkWentDown", { reason: "x" }), data: null as never });
    await expect(rebuild(log)).rejects.toMatchObject({ code: "event-refused" });
    expect((await rig.get(`/v1/axes/x1?minPosition=L.${built.events.length}&waitMs=10000`)).status).toBe(200);
    expect((await readdir(join(directory, "read"))).sort()).toEqual(["g1", "g7"]);
    await rig.stop();
  });
});
