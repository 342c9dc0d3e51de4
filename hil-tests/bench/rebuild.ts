import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type RebuiltProjection, rebuildBeside } from "@servofleet/dashboard-api/read-model/rebuild";
import { LogReader } from "@servofleet/runtime/log-reader";
import { LOG_COLUMNS, LOG_FILE } from "@servofleet/runtime/log-schema";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import { atLeast, type Measurement, measurementOf } from "./bench-result.ts";
import { interleaved } from "./interleave.ts";
import { writeLongLog } from "./rebuild-long-log.ts";
import { startReadSide } from "./rebuild-read-side.ts";

const PAGE_ROWS = 1000;
const RAW_PAGE = `SELECT ${LOG_COLUMNS} FROM events WHERE position > ?1 ORDER BY position LIMIT ${PAGE_ROWS}`;

/** Every view from the first event into files of its own, against a plain read of the same log page by page. */
export async function rebuild(context: BenchContext): Promise<Measurement> {
  const runs = sized(context, 3, 2);
  const events = sized(context, 1_000_000, 40_000);
  const directory = join(context.directory, "rebuild");
  await mkdir(directory);
  try {
    context.say(`a log of ${events} events ...`);
    await writeLongLog(directory, events);
    const ours = () => rebuildRate(context, directory, "read-alone");
    const raw = () => rawReadRate(context, directory);
    // The first run of each compiles its code and is not counted.
    await interleaved(1, ours, raw);
    const { a, b } = await interleaved(runs, ours, raw);
    context.say("the same beside a read side that followed the log ...");
    await (await startReadSide(directory, context.clock)).stop();
    let found: readonly RebuiltProjection[] = [];
    await rebuildRate(context, directory, "read", (projections) => {
      found = projections;
    });
    return measurementOf({
      unit: "events/s",
      values: a,
      references: b,
      referenceName: "raw paged read of the same log",
      bar: atLeast(0.5),
      more: {
        events,
        rows: found.reduce((sum, { rows }) => sum + rows, 0),
        sameAsLive: found.every(({ same, differing }) => same !== false && differing === 0),
      },
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Events per second until the last one is in; the comparison afterwards is not counted. */
async function rebuildRate(
  { clock }: BenchContext,
  directory: string,
  name: string,
  told: (found: readonly RebuiltProjection[]) => void = () => undefined,
): Promise<number> {
  const log = await LogReader.open({ file: join(directory, LOG_FILE), clock });
  if (!log) throw new BenchError("nothing-measured", { directory }, "there is no log");
  const readDirectory = join(directory, name);
  await mkdir(readDirectory, { recursive: true });
  let builtMs = 0;
  let newest = 0;
  const startMs = clock.monotonicMs();
  try {
    const found = await rebuildBeside({
      log,
      readDirectory,
      clock,
      signal: new AbortController().signal,
      progress: (progress) => {
        if (progress.step !== "building" && builtMs === 0) builtMs = clock.monotonicMs() - startMs;
        newest = progress.newest;
      },
    });
    told(found.projections);
    return (newest * 1000) / builtMs;
  } finally {
    await log.close();
    await rm(join(readDirectory, "g2"), { recursive: true, force: true });
  }
}

async function rawReadRate({ clock }: BenchContext, directory: string): Promise<number> {
  const database = await SqliteDatabase.open(join(directory, LOG_FILE), { readOnly: true });
  try {
    const startMs = clock.monotonicMs();
    let position = 0;
    for (;;) {
      const page = await database.all<{ position: number }>(RAW_PAGE, [position]);
      position = page.at(-1)?.position ?? position;
      if (page.length < PAGE_ROWS) return (position * 1000) / (clock.monotonicMs() - startMs);
    }
  } finally {
    await database.close();
  }
}
