import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backUpLog } from "@servofleet/controller/event-log/log-backup";
import { restoreLog } from "@servofleet/controller/event-log/log-restore";
import { openEventLog } from "@servofleet/controller/event-log/open-event-log";
import type { RebuiltProjection } from "@servofleet/dashboard-api/read-model/rebuild";
import { readFleetFile } from "@servofleet/runtime/fleet-file";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Output } from "../../bin/verbs/output.ts";
import { rebuildRead } from "../../bin/verbs/read-rebuild.ts";
import { moveEvents } from "../bench/append-events.ts";
import { askOnce } from "../bench/bench-box.ts";
import { longFleet } from "../bench/rebuild-long-log.ts";
import { startReadSide } from "../bench/rebuild-read-side.ts";

const clock = systemClock();
const random = systemRandom();
const EVENTS = 2401;
const retention = { keepDays: 0, keepEvents: 0, archiveEvents: 500 };
let root = "";
let data = "";
const opened = () => openEventLog({ directory: data, clock, random, box: "bench", retention });
const signal = new AbortController().signal;

/** What a verb shows with `--json`, and the notes beside it. */
function shown(): { out: Output; documents: Record<string, unknown>[] } {
  const documents: Record<string, unknown>[] = [];
  const out = {
    json: true,
    show: (document: unknown) => void documents.push(document as never),
    note: () => undefined,
  };
  return { out, documents };
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "restored-log-"));
  data = join(root, "data");
  const log = await opened();
  await writeFile(join(root, "fleet.yaml"), JSON.stringify(longFleet(data)));
  const config = readFleetFile(join(root, "fleet.yaml"), {});
  await log.append([{ stream: "box-bench" as never, event: { type: "FleetConfigured", data: { config } } }]);
  const moves = moveEvents(EVENTS - 1);
  for (let from = 0; from < moves.length; from += 300) await log.append(moves.slice(from, from + 300));
  await log.archive();
  await backUpLog(join(data, "events.db"), join(root, "backup"), clock);
  await log.append(moveEvents(12));
  await log.close();
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("the read side notices a restored log, and the next one shows that log and nothing of the former", async () => {
  const side = await startReadSide(data, clock);
  const newest = async () => (await askOnce({ path: side.socketPath }, "/v1/axes/a3")).head;
  expect(await newest()).toContain(`.${EVENTS + 12}\r\n`);
  const { logId } = await restoreLog({ backup: join(root, "backup"), directory: data, replace: true, clock, random });
  expect(await side.lost).toMatchObject({ code: "log-replaced" });
  await side.stop();
  const next = await startReadSide(data, clock);
  const { head, body } = await askOnce({ path: next.socketPath }, "/v1/commands?limit=1000");
  expect(head).toContain(`${logId}.${EVENTS}\r\n`);
  expect((JSON.parse(body) as { items: unknown[] }).items).toHaveLength((EVENTS - 1) / 6);
  await next.stop();
});

test("`read rebuild` without a running box builds from the archives on, and finds its own files again", async () => {
  const first = shown();
  expect(await rebuildRead(data, first.out, { check: false }, signal)).toBe(0);
  expect(first.documents.at(-1)).toMatchObject({ generation: 2, position: EVENTS + 12, switched: true, adopted: null });
  expect(first.documents[0]).toMatchObject({ progress: { step: "building", newest: EVENTS + 12 } });
  expect(await readFile(join(data, "read", "current.json"), "utf8")).toBe('{"generation":2}\n');
  const second = shown();
  expect(await rebuildRead(data, second.out, { check: true }, signal)).toBe(0);
  const { projections } = second.documents.at(-1) as { projections: readonly RebuiltProjection[] };
  const commands = projections.find(({ projection }) => projection === "commands");
  expect(commands).toMatchObject({ same: true, differing: 0, rows: (EVENTS + 11) / 6, comparedAt: EVENTS + 12 });
  expect(await readFile(join(data, "read", "current.json"), "utf8")).toBe('{"generation":2}\n');
});

test("the past is found in sealed archives too", async () => {
  const side = await startReadSide(data, clock);
  await vi.waitFor(
    async () => {
      const { status, head, body } = await askOnce({ path: side.socketPath }, "/v1/commands?limit=1000&atPosition=601");
      expect(status, body).toBe(200);
      expect(head).toMatch(/x-position: \S+\.601\r\n/);
      const { items } = JSON.parse(body) as { items: { state: string }[] };
      expect(items).toHaveLength(100);
      expect(items.every(({ state }) => state === "succeeded")).toBe(true);
    },
    { timeout: 60_000 },
  );
  await side.stop();
});
