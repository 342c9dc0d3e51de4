import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rfc3339 } from "@servofleet/contracts";
import { rebuildBeside } from "@servofleet/dashboard-api/read-model/rebuild";
import type { Clock } from "@servofleet/runtime/clock";
import { openLogReader } from "@servofleet/runtime/log-reader";
import { coldStartMs } from "../bench/cold-start.ts";
import { headerOf, KeepAliveClient } from "../bench/keep-alive-client.ts";
import { wallOfPosition, writeLongLog } from "../bench/rebuild-long-log.ts";
import { startReadSide } from "../bench/rebuild-read-side.ts";
import { quantile, rounded } from "../bench/statistics.ts";

/** A multiplier that scatters whole numbers (Knuth, TAOCP 3, 6.4): each question another moment, the same ones each time. */
const SCATTER = 2_654_435_761;
const ASKED = [
  "/v1/axes?",
  "/v1/alarms?",
  "/v1/commands?",
  "/v1/axes/a5?",
  "/v1/commands?axis=a3&",
  "/v1/alarms?limit=1000&",
];

export interface PastTrial {
  /** Length of the log. */
  readonly events: number;
  /** Moments, each asked for in every way. */
  readonly questions: number;
  readonly clock: Clock;
  readonly say?: (text: string) => void;
}

/** What came out; times in ms. */
export interface PastOutcome {
  readonly trial: "past";
  readonly events: number;
  readonly eventsPerS: number;
  readonly coldStart: number;
  readonly answers: number;
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
  readonly rows: number;
  /** Answers that failed or spoke of another position, and stored rows that a rebuild makes differently. */
  readonly wrong: number;
}

/**
 * A log of any length, a read side that follows it to the end, questions about scattered moments of it by time and by
 * position, a cold start of the real process, and a rebuild that has to give the same bytes.
 */
export async function runPast({ events, questions, clock, say = () => undefined }: PastTrial): Promise<PastOutcome> {
  const directory = await mkdtemp(join(tmpdir(), "servofleet-past-"));
  try {
    say(`a log of ${events} events ...`);
    await writeLongLog(directory, events, (position) => position % 1_000_000 === 0 && say(`${position}`));
    say("its views ...");
    const startMs = clock.monotonicMs();
    const side = await startReadSide(directory, clock);
    const eventsPerS = (events * 1000) / (clock.monotonicMs() - startMs);
    say(`${questions} moments ...`);
    const asked = await askAbout(side, questions, clock).finally(() => side.stop());
    const coldStart = await coldStartMs(directory, clock);
    say("the same from the first event ...");
    const { rows, differing } = await rebuilt(directory, clock);
    return {
      trial: "past",
      events,
      eventsPerS: Math.round(eventsPerS),
      coldStart: rounded(coldStart),
      answers: asked.tookMs.length,
      p50: rounded(quantile(asked.tookMs, 0.5)),
      p99: rounded(quantile(asked.tookMs, 0.99)),
      slowest: rounded(Math.max(...asked.tookMs)),
      rows,
      wrong: asked.wrong + differing,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function askAbout(
  side: { readonly socketPath: string; readonly newest: number },
  questions: number,
  clock: Clock,
): Promise<{ tookMs: number[]; wrong: number }> {
  const client = new KeepAliveClient({ path: side.socketPath });
  const tookMs: number[] = [];
  let wrong = 0;
  try {
    for (let question = 0; question < questions * ASKED.length; question++) {
      const position = ((question * SCATTER) % side.newest) + 1;
      const moment = question % 2 === 0 ? `at=${rfc3339(wallOfPosition(position))}` : `atPosition=${position}`;
      const startMs = clock.monotonicMs();
      const answer = await client.request("GET", `${ASKED[question % ASKED.length]}${moment}`);
      tookMs.push(clock.monotonicMs() - startMs);
      if (answer.status !== 200 || headerOf(answer, "x-position") !== `bench.${position}`) wrong++;
    }
  } finally {
    client.close();
  }
  return { tookMs, wrong };
}

async function rebuilt(directory: string, clock: Clock): Promise<{ rows: number; differing: number }> {
  const log = await openLogReader({ file: join(directory, "events.db"), clock });
  try {
    const { projections } = await rebuildBeside({
      log,
      readDirectory: join(directory, "read"),
      clock,
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    const sum = (of: (found: (typeof projections)[number]) => number) => projections.reduce((n, one) => n + of(one), 0);
    return { rows: sum(({ rows }) => rows), differing: sum(({ differing }) => differing) };
  } finally {
    await log.close();
  }
}
