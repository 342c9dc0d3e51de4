import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, it } from "vitest";
import { commandHistory } from "../projections/command-history.ts";
import { Projector } from "../read-model/projector.ts";
import { SqliteViewStore } from "../read-model/sqlite-view-store.ts";
import { accepted, LogBuilder, testFleet } from "../testing/recorded-events.ts";
import { pageByRank } from "./row-list.ts";

it("pages through commands in memory and on disk as if they were one list", async () => {
  const directory = await mkdtemp(join(tmpdir(), "servofleet-list-"));
  const few = { ...commandHistory, residentMax: 4 };
  const log = new LogBuilder();
  log.configured(testFleet());
  log.add("axis-x1", "MoveAccepted", accepted(1), { commandId: "open" });
  for (let n = 0; n < 20; n++) log.move(`c${n}`, n, n % 2 === 0 ? "x1" : "x2");
  const projector = new Projector(few, "L", new FakeClock(), await SqliteViewStore.open(directory, few));
  await projector.handle(log.events);
  await projector.dump();
  expect(projector.rows.size).toBe(4);

  const walk = async (axis: string | null, limit: number) => {
    const ids: string[] = [];
    const filter = {
      matches: (row: { axis: string }) => axis === null || row.axis === axis,
      where: axis === null ? {} : { axis },
    };
    let cursor: string | null | undefined;
    do {
      const page = await pageByRank(projector, { limit, ...(cursor == null ? {} : { cursor }) }, filter);
      ids.push(...page.rows.map((row) => row.commandId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    return ids;
  };
  const all = [...Array.from({ length: 20 }, (_, n) => `c${19 - n}`), "open"];
  for (const limit of [1, 3, 7, 100]) expect(await walk(null, limit)).toEqual(all);
  expect(await walk("x2", 3)).toEqual(all.filter((id) => id !== "open" && Number(id.slice(1)) % 2 === 1));
  await projector.close();
  await rm(directory, { recursive: true, force: true });
});
