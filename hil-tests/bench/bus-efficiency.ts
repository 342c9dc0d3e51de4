import { stayAwake } from "@servofleet/firmware-bridge/bridge/stay-awake";
import { bitsPerCharacter } from "@servofleet/firmware-bridge/link/bus-cost";
import { type PacedLine, startPacedLine } from "../line/paced-line.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import type { Measurement } from "./bench-result.ts";
import { libmodbusRate } from "./libmodbus-rate.ts";
import type { ReadingFigures, ReadingPlan } from "./line-masters.ts";
import { type Punctuality, punctuality } from "./line-punctuality.ts";
import { LINE_CORE, MASTER_CORE, pinned } from "./process-cores.ts";
import { median, rounded, spreadOf } from "./statistics.ts";
import { startWorker, type Worker } from "./worker.ts";

const UNITS = 16;
const REGISTERS = 10;
const REQUEST_BYTES = 8;
const REPLY_BYTES = 5 + 2 * REGISTERS;
const STRICT_ABOVE_19200_US = 1750;
const TRIES_MAX = 3;
const RUN_LIMIT_MS = 120_000;

/** A line at one speed; `declared` has no silence at all, `strict` keeps t3.5 before every request and every answer. */
interface Case {
  readonly baud: number;
  readonly gaps: "strict" | "declared";
  readonly bar: number;
}
const CASES: readonly Case[] = [
  ...[9600, 19_200, 115_200].flatMap((baud) => [
    { baud, gaps: "strict" as const, bar: 0.97 },
    { baud, gaps: "declared" as const, bar: 0.97 },
  ]),
  { baud: 921_600, gaps: "declared", bar: 0.8 },
];

const MASTERS = ["link", "libmodbus", "modbusSerial", "jsmodbus"] as const;
type Master = (typeof MASTERS)[number];

/** One master's turn on the line. */
interface Run extends Punctuality {
  readonly perS: number;
  readonly failed: number;
  readonly wrong: number;
  readonly shortGaps: number;
  readonly collisions: number;
  readonly minGapUs: number;
}

const characterUs = (baud: number) => (bitsPerCharacter("none", 1) * 1e6) / baud;
const silenceUs = ({ baud, gaps }: Case) =>
  gaps === "declared" ? 0 : baud > 19_200 ? STRICT_ABOVE_19200_US : 3.5 * characterUs(baud);
/** The wire's limit, transactions per second: 1 / (c*(Lreq+Lresp) + 2*gap), the units answer without delay. */
const wireLimit = (of: Case) => 1e6 / (characterUs(of.baud) * (REQUEST_BYTES + REPLY_BYTES) + 2 * silenceUs(of));

/**
 * Reads of 10 registers from 16 units back to back on a line of true speed, the bridge's link and three others in turns,
 * as a share of what the wire can carry. Only the bridge keeps a silence before its requests, so that on a strict line the
 * others come to more than the limit, at the price that is printed beside it: requests that came too soon.
 */
export async function busEfficiency(context: BenchContext): Promise<Measurement> {
  const worker = startWorker("line-masters", context.clock);
  // Waking a core is the machine's price and no master's: none sleeps, for all of them alike (`keepAwake` of a link).
  const release = stayAwake();
  try {
    await pinned(worker.pid, MASTER_CORE);
    const cases = [];
    for (const of of CASES) cases.push(await measured(of, worker, context));
    return judged(cases, release !== null);
  } finally {
    release?.();
    await worker.stop();
  }
}

async function measured(of: Case, worker: Worker, context: BenchContext) {
  const gapUs = silenceUs(of);
  const line = await startPacedLine(
    { baud: of.baud, units: UNITS, gapUs, replyGapUs: gapUs, hearShortGaps: true, core: Number(LINE_CORE) },
    context.clock,
  );
  try {
    const runs = new Map<Master, Run[]>();
    const missing = new Set<Master>();
    for (let run = 0; run < sized(context, 3, 1); run++) {
      for (const master of MASTERS) {
        if (missing.has(master)) continue;
        const done = await turn(master, of, line, worker, context);
        if (done) runs.set(master, [...(runs.get(master) ?? []), done]);
        else missing.add(master);
      }
    }
    return { of, realtime: line.realtime, runs };
  } finally {
    await line.stop();
  }
}

/** One run; done again when the line itself was too late to say anything. Undefined when the master is not installed. */
async function turn(master: Master, of: Case, line: PacedLine, worker: Worker, context: BenchContext) {
  const plan: ReadingPlan = {
    path: line.path,
    baud: of.baud,
    gapUs: of.gaps === "declared" ? 0 : null,
    units: UNITS,
    stopWaitMaxMs: 1000,
    registers: REGISTERS,
    count: Math.ceil((wireLimit(of) * sized(context, 10_000, 1000)) / 1000),
  };
  let done: Run | undefined;
  for (let tries = 0; tries < TRIES_MAX && (done === undefined || done.isVoid); tries++) {
    await line.taken();
    const figures =
      master === "libmodbus"
        ? await libmodbusRate(plan, MASTER_CORE)
        : await worker.ask<ReadingFigures | null>(master, plan, RUN_LIMIT_MS);
    if (!figures) {
      context.say(`bus-efficiency: ${master} is not installed here`);
      return undefined;
    }
    done = await runOf(of, figures, line);
    context.say(
      `bus-efficiency ${of.baud} ${of.gaps} ${master}: ${rounded(done.perS / wireLimit(of))}, line late p99 ${done.lineErrorUs.p99} us${done.isVoid ? ", void" : ""}`,
    );
  }
  return done;
}

async function runOf(of: Case, { perS, failed, wrong }: ReadingFigures, line: PacedLine): Promise<Run> {
  const seen = await line.taken();
  if (seen.replies === 0) throw new BenchError("nothing-measured", { ...of }, "no unit answered on the paced line");
  return {
    perS,
    failed,
    wrong,
    shortGaps: seen.shortGaps,
    collisions: seen.collisions,
    minGapUs: seen.minGapUs,
    ...punctuality(seen, 1e6 / wireLimit(of)),
  };
}

function judged(cases: readonly Awaited<ReturnType<typeof measured>>[], awake: boolean): Measurement {
  const table = cases.map(({ of, realtime, runs }) => {
    const limit = wireLimit(of);
    const masters = MASTERS.map((name) => [name, masterFigures(runs.get(name), limit)]);
    const own = (runs.get("link") ?? []).filter(({ isVoid }) => !isVoid);
    const shares = own.map(({ perS }) => perS / limit);
    const efficiency = shares.length > 0 ? median(shares) : null;
    const clean = own.every(({ shortGaps, collisions, wrong }) => shortGaps + collisions + wrong === 0);
    const holds = efficiency !== null && efficiency >= of.bar && clean;
    return { of, limit, shares, efficiency, holds, realtime, masters: Object.fromEntries(masters) };
  });
  const slow = table.filter(({ of, efficiency }) => of.baud <= 115_200 && efficiency !== null);
  const worst = slow.sort((a, b) => (a.efficiency ?? 0) - (b.efficiency ?? 0))[0];
  if (!worst) throw new BenchError("nothing-measured", {}, "the paced line was late in every run: machine too busy");
  return {
    value: (worst.efficiency ?? 0) * worst.limit,
    unit: "transactions/s",
    reference: { name: `limit of the wire at ${worst.of.baud} baud, ${worst.of.gaps} gaps`, value: worst.limit },
    ratio: worst.efficiency ?? 0,
    bar: ">= 0.97 up to 115200 (the lowest counts), >= 0.8 at 921600, no gap too short, no wrong value",
    holds: table.every(({ holds }) => holds),
    runs: worst.shares.length,
    spread: spreadOf(worst.shares),
    more: {
      awake,
      cases: table.map(({ of, limit, efficiency, holds, realtime, masters }) => ({
        baud: of.baud,
        gaps: of.gaps,
        limit: rounded(limit),
        efficiency: efficiency === null ? null : rounded(efficiency),
        bar: `>= ${of.bar}`,
        holds,
        realtime,
        ...masters,
      })),
    },
  };
}

/** What a master came to; void runs do not count. */
function masterFigures(runs: readonly Run[] | undefined, limit: number): object | string {
  if (!runs) return "missing";
  const good = runs.filter(({ isVoid }) => !isVoid);
  const counted = good.length > 0 ? good : runs;
  const most = (figure: (run: Run) => number) => Math.max(...counted.map(figure));
  return {
    efficiency: rounded(median(counted.map(({ perS }) => perS / limit))),
    void: runs.length - good.length,
    shortGaps: most(({ shortGaps }) => shortGaps),
    minGapUs: rounded(Math.min(...counted.map(({ minGapUs }) => minGapUs))),
    failed: most(({ failed }) => failed),
    wrong: most(({ wrong }) => wrong),
    lineErrorUs: counted[0]?.lineErrorUs,
  };
}
