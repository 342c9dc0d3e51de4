import { join } from "node:path";
import { sleep } from "@servofleet/runtime/clock";
import { openLogReader } from "@servofleet/runtime/log-reader";
import { type BenchBox, TAPPED_AXIS } from "./bench-box.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import { atMost, type Measurement } from "./bench-result.ts";
import type { CommandPlan } from "./command-load.ts";
import { headerOf, KeepAliveClient } from "./keep-alive-client.ts";
import { quantile, rounded, spreadOf } from "./statistics.ts";
import { startWorker } from "./worker.ts";

const LIMIT_MS = 15;
const LOOK_MS = 1;
const PAGE = 1000;
const COMMAND_PAUSE_MS = 30;
const SLACK_MS = 20_000;

/** First answer that covered a log position, monotonic ms. */
interface Seen {
  readonly position: number;
  readonly atMs: number;
}

/**
 * From the moment an event gets its place in the log (so its own fsync counts) to the first answer of the read side that
 * covers it. Both times are of the host's monotonic clock. Looked for once per ms: the figure is late by up to that.
 */
export async function eventToVisible(context: BenchContext): Promise<Measurement> {
  const { clock } = context;
  const box = await context.box();
  await box.ready(TAPPED_AXIS);
  const runs = sized(context, 5, 2);
  const p99s: number[] = [];
  const all: number[] = [];
  const load = startWorker("command-load", clock);
  try {
    for (let run = 0; run < runs; run++) {
      const count = sized(context, 200, 60);
      const plan: CommandPlan = {
        target: box.controller,
        axis: TAPPED_AXIS,
        positions: [1, 3],
        count,
        pauseMs: COMMAND_PAUSE_MS,
      };
      const writing = load.ask("run", plan, count * COMMAND_PAUSE_MS + SLACK_MS);
      const seen = await watchPositions(context, box, writing);
      const lateMs = await lateness(context, box, seen);
      if (lateMs.length === 0) throw new BenchError("nothing-measured", { run }, "no event became visible");
      p99s.push(quantile(lateMs, 0.99));
      all.push(...lateMs);
    }
  } finally {
    await load.stop();
  }
  const value = quantile(all, 0.99);
  const bar = atMost(1);
  return {
    value,
    unit: "ms",
    reference: { name: "limit for the 99th percentile", value: LIMIT_MS },
    ratio: value / LIMIT_MS,
    bar: `<= ${LIMIT_MS} ms`,
    holds: bar.holds(value / LIMIT_MS),
    runs,
    spread: spreadOf(p99s.map((p99) => p99 / LIMIT_MS)),
    more: { p50: rounded(quantile(all, 0.5)), max: rounded(quantile(all, 1)), events: all.length },
  };
}

/** Looks at the read side until the writing is over, and notes each step of its position. */
async function watchPositions({ clock }: BenchContext, box: BenchBox, writing: Promise<unknown>): Promise<Seen[]> {
  const client = new KeepAliveClient(box.dashboard);
  const seen: Seen[] = [];
  let over = false;
  const ended = writing.finally(() => {
    over = true;
  });
  try {
    while (!over) {
      const answer = await client.request("GET", `/v1/axes/${TAPPED_AXIS}`);
      const position = Number(headerOf(answer, "x-position")?.split(".").at(-1));
      if (position > (seen.at(-1)?.position ?? -1)) seen.push({ position, atMs: clock.monotonicMs() });
      await sleep(clock, LOOK_MS);
    }
    await ended;
    return seen;
  } finally {
    client.close();
  }
}

async function lateness({ clock }: BenchContext, box: BenchBox, seen: readonly Seen[]): Promise<number[]> {
  const reader = await openLogReader({ file: join(box.running.data, "events.db"), clock });
  const lateMs: number[] = [];
  try {
    for (const [at, { position, atMs }] of seen.slice(1).entries()) {
      const after = seen[at]?.position ?? position;
      for (const event of await reader.readAfter(after, Math.min(PAGE, position - after)))
        lateMs.push(atMs - Number(event.monoNs) / 1e6);
    }
  } finally {
    await reader.close();
  }
  return lateMs;
}
