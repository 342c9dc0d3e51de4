import { silentTransactionMicros } from "@servofleet/firmware-bridge/link/bus-cost";
import { type LineFigures, type PacedLine, startPacedLine } from "../line/paced-line.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import type { Measurement } from "./bench-result.ts";
import { type LineLinkPlan, lineLinkCost } from "./line-link.ts";
import type { PollingFigures, PollingPlan } from "./line-pollers.ts";
import { punctuality } from "./line-punctuality.ts";
import { LINE_CORE, MASTER_CORE, pinned } from "./process-cores.ts";
import { median, rounded, spreadOf } from "./statistics.ts";
import { startWorker, type Worker } from "./worker.ts";

const BAUD = 115_200;
const UNITS = 32;
const REGISTERS = 10;
/** As a unit of the field: half a millisecond to two beyond its silence. */
const TURNAROUND_US = 500;
const JITTER_US = 1500;
/** Shortest transaction: 33 characters, two silences, the turn-around. */
const TRANSACTION_US = 33 * (1e7 / BAUD) + 2 * 1750 + TURNAROUND_US;
const STOP_WAIT_MAX_MS = 25;
/** What a command may take beyond the line's own bound, ms. */
const COMMAND_SLACK_MS = 5;
const RUN_LIMIT_MS = 120_000;

/** So many of 32 units silent, and what the others must keep of their rate. */
const CASES = [
  { silent: 1, bar: 0.98 },
  { silent: 8, bar: 0.9 },
] as const;

interface Pair {
  readonly share: number;
  readonly healthy: PollingFigures;
  readonly spoilt: PollingFigures;
}

/**
 * 32 units polled as fast as the line goes, strict gaps, with commands in between: the rate of the units that answer while
 * 1 and then 8 others are silent, by their rate while all answer. What silent units leave free is theirs, so the rate of
 * the same units is compared.
 */
export async function silentUnit(context: BenchContext): Promise<Measurement> {
  const worker = startWorker("line-pollers", context.clock);
  const options = { baud: BAUD, units: UNITS, gapUs: 1750, replyGapUs: 1750, core: Number(LINE_CORE) };
  const line = await startPacedLine(
    { ...options, turnaroundUs: TURNAROUND_US, jitterUs: JITTER_US },
    context.clock,
  ).catch(async (error: unknown) => {
    await worker.stop();
    throw error;
  });
  try {
    await pinned(worker.pid, MASTER_CORE);
    const cases = [];
    for (const { silent, bar } of CASES) cases.push({ silent, bar, pairs: await pairs(silent, line, worker, context) });
    return judged(cases, await line.figures(), commandBoundMs(planOf(line, [], 0)));
  } finally {
    await line.stop();
    await worker.stop();
  }
}

const planOf = (line: PacedLine, silent: readonly number[], durationMs: number): PollingPlan => ({
  path: line.path,
  baud: BAUD,
  gapUs: null,
  units: UNITS,
  stopWaitMaxMs: STOP_WAIT_MAX_MS,
  registers: REGISTERS,
  durationMs,
  silent,
});

/** Longest wait of a command, ms: a poll in flight that is not answered, and the silence; one command at a time. */
function commandBoundMs(plan: LineLinkPlan & Pick<PollingPlan, "registers">): number {
  const cost = lineLinkCost(plan);
  const inFlight = { fn: "read", address: 0, quantity: plan.registers } as const;
  return (silentTransactionMicros(inFlight, cost) + cost.silenceUs) / 1000;
}

async function pairs(silent: number, line: PacedLine, worker: Worker, context: BenchContext): Promise<Pair[]> {
  // Spread over the line, the first and the last among those that answer.
  const dead = Array.from({ length: silent }, (_, at) => 2 + Math.floor((at * (UNITS - 2)) / silent));
  const durationMs = sized(context, 10_000, 2500);
  const polling = async (silence: boolean) => {
    for (const unit of dead) await line.kill(unit, silence);
    return worker.ask<PollingFigures>("run", planOf(line, dead, durationMs), RUN_LIMIT_MS);
  };
  const done: Pair[] = [];
  for (let run = 0; run < sized(context, 3, 1); run++) {
    const healthy = await polling(false);
    const spoilt = await polling(true);
    done.push({ healthy, spoilt, share: spoilt.perS / healthy.perS });
    context.say(`silent-unit, ${silent} of ${UNITS}: ${rounded(spoilt.perS / healthy.perS)}`);
  }
  for (const unit of dead) await line.kill(unit, false);
  return done;
}

function judged(
  cases: readonly { readonly silent: number; readonly bar: number; readonly pairs: readonly Pair[] }[],
  line: LineFigures,
  boundMs: number,
): Measurement {
  const table = cases.map(({ silent, bar, pairs: runs }) => {
    const share = median(runs.map((run) => run.share));
    const commandP99Ms = median(runs.map(({ spoilt }) => spoilt.commandP99Ms));
    const inTime = commandP99Ms <= boundMs + COMMAND_SLACK_MS;
    return { silent, bar, runs, share, commandP99Ms, holds: share >= bar && inTime };
  });
  const worst = table.reduce((a, b) => (a.share / a.bar <= b.share / b.bar ? a : b));
  const { lineErrorUs, isVoid } = punctuality(line, TRANSACTION_US);
  const clean = line.shortGaps + line.collisions === 0 && !isVoid;
  return {
    value: median(worst.runs.map(({ spoilt }) => spoilt.perS)),
    unit: "polls/s of the units that answer",
    reference: {
      name: `the same units while all answer (${worst.silent} of ${UNITS} silent)`,
      value: median(worst.runs.map(({ healthy }) => healthy.perS)),
    },
    ratio: worst.share,
    bar: `>= 0.98 with 1 of 32 silent, >= 0.9 with 8 (the one nearest to its bar counts); command p99 <= bound + ${COMMAND_SLACK_MS} ms`,
    holds: clean && table.every(({ holds }) => holds),
    runs: worst.runs.length,
    spread: spreadOf(worst.runs.map((run) => run.share)),
    more: {
      commandBoundMs: rounded(boundMs),
      cases: table.map(({ silent, bar, share, runs, commandP99Ms, holds }) => ({
        silent,
        share: rounded(share),
        bar: `>= ${bar}`,
        commandP99Ms: rounded(commandP99Ms),
        commandMaxMs: rounded(Math.max(...runs.map(({ spoilt }) => spoilt.commandMaxMs))),
        healthyCommandP99Ms: rounded(median(runs.map(({ healthy }) => healthy.commandP99Ms))),
        commands: runs.reduce((sum, { spoilt }) => sum + spoilt.commands, 0),
        failedCommands: runs.reduce((sum, { spoilt }) => sum + spoilt.failedCommands, 0),
        holds,
      })),
      shortGaps: line.shortGaps,
      collisions: line.collisions,
      lineErrorUs,
      isVoid,
    },
  };
}
