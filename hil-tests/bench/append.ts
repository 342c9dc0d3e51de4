import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { NewEvent } from "@servofleet/controller/event-log/event-log";
import { openEventLog } from "@servofleet/controller/event-log/open-event-log";
import { moveEvents } from "./append-events.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { atLeast, type Measurement, measurementOf } from "./bench-result.ts";
import { type EmmettFigures, emmettAppender } from "./emmett-append.ts";
import { interleaved } from "./interleave.ts";
import { rawAppendRate } from "./raw-append.ts";
import { median } from "./statistics.ts";

const IN_FLIGHT = 100;
const EMMETT_EVENTS = 500;
const EMMETT_RUNS = 3;

/**
 * Group commit with 100 appends in flight against the raw limit of one statement per commit of 100 rows; emmett-sqlite
 * stands beside them.
 */
export async function append(context: BenchContext): Promise<Measurement> {
  const runs = sized(context, 7, 3);
  const events = moveEvents(sized(context, 40_000, 5_000));
  let made = 0;
  const freshly = async <T>(measure: (directory: string) => Promise<T>): Promise<T> => {
    const directory = join(context.directory, `append-${made++}`);
    await mkdir(directory);
    try {
      return await measure(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  };
  const log = () => freshly((directory) => logAppendRate(context, directory, events));
  const raw = () => freshly((directory) => rawAppendRate(directory, events, IN_FLIGHT, context.clock));
  // The first run of each compiles its code and is not counted.
  await interleaved(1, log, raw);
  const { a, b } = await interleaved(runs, log, raw);
  const emmett = context.quick ? null : await emmettAppender();
  const others: EmmettFigures[] = [];
  for (let run = 0; emmett && run < EMMETT_RUNS; run++)
    others.push(await freshly((path) => emmett(path, EMMETT_EVENTS)));
  const emmettSqlite = emmett ? Math.round(median(others.map(({ perS }) => perS))) : "missing";
  return measurementOf({
    unit: "events/s",
    values: a,
    references: b,
    referenceName: "raw one-statement limit",
    bar: atLeast(0.8),
    more: { inFlight: IN_FLIGHT, events: events.length, emmettSqlite },
  });
}

/** Every one of 100 callers appends one event at a time, and the next as soon as it is on disk. Events per second. */
async function logAppendRate(
  { clock, random }: BenchContext,
  directory: string,
  events: readonly NewEvent[],
): Promise<number> {
  const log = await openEventLog({ directory, clock, random, box: "bench" });
  try {
    let next = 0;
    const caller = async () => {
      for (let event = events[next++]; event; event = events[next++]) await log.append([event]);
    };
    const startedMs = clock.monotonicMs();
    await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
    return (events.length * 1000) / (clock.monotonicMs() - startedMs);
  } finally {
    await log.close();
  }
}
