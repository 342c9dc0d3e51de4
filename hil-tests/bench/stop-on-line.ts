import { getPriority, setPriority } from "node:os";
import { stopBoundMs } from "@servofleet/firmware-bridge/link/bus-cost";
import { sleep } from "@servofleet/runtime/clock";
import { takeWritePriority } from "../../bin/services/write-priority.ts";
import { type LineFigures, type PacedLine, startPacedLine, type WriteHeard } from "../line/paced-line.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import type { Measurement } from "./bench-result.ts";
import { busyController } from "./busy-controller.ts";
import { lineLinkCost } from "./line-link.ts";
import { punctuality } from "./line-punctuality.ts";
import type { LoadPlan, StopAsked } from "./line-stops.ts";
import { allCores, LINE_CORE, MASTER_CORE, pinned } from "./process-cores.ts";
import { quantile, rounded, spreadOf } from "./statistics.ts";
import { startWorker, type Worker } from "./worker.ts";

const BAUD = 115_200;
const UNITS = 16;
const REGISTERS = 10;
const TURNAROUND_US = 1000;
/** A poll: 33 characters, two silences, the turn-around. */
const TRANSACTION_US = 33 * (1e7 / BAUD) + 2 * 1750 + TURNAROUND_US;
const STOP_REGISTER = 0x200;
/** A stop comes at a random moment of the load, this long after the last at most, ms. */
const PAUSE_MS = 25;
const PASSWORD_HASHES = 8;
/** Bars beyond the computed bound, ms. */
const P99_MS = 2;
const MAX_ABOVE_CANARY_MS = 5;
const ASK_LIMIT_MS = 10_000;

interface Phase {
  readonly name: string;
  /** From the wish in this process to the first byte at the line, ms. */
  readonly latencyMs: readonly number[];
  readonly canaryMs: number;
  readonly line: LineFigures;
}

/**
 * A stop of one unit on a line that is full of polls. This process stands for the controller, the link runs in another as
 * in the product, the line itself notes the first byte. Once with nothing else to do, and once with eight password hashes
 * and a disk that is always behind in the controller's process. That process has one core and the line the other, since a
 * cable does not wait for a core; the link runs where it finds room.
 */
export async function stopOnLine(context: BenchContext): Promise<Measurement> {
  const { clock, directory } = context;
  const line = await startPacedLine(
    { baud: BAUD, units: UNITS, gapUs: 1750, replyGapUs: 1750, turnaroundUs: TURNAROUND_US, core: Number(LINE_CORE) },
    clock,
  );
  const bridge = startWorker("line-stops", clock);
  const canary = startWorker("canary", clock);
  const plan: LoadPlan = {
    path: line.path,
    baud: BAUD,
    gapUs: null,
    units: UNITS,
    stopWaitMaxMs: 50,
    registers: REGISTERS,
  };
  const own = getPriority();
  takeWritePriority();
  await pinned(process.pid, MASTER_CORE);
  try {
    const arrivals = await heardStops(line);
    await bridge.ask("open", plan, ASK_LIMIT_MS);
    const trials = sized(context, 10_000, 100);
    const phase = async (name: string): Promise<Phase> => {
      await trial(0, arrivals, bridge, context);
      await line.taken();
      await canary.ask("worst", null, ASK_LIMIT_MS);
      const latencyMs: number[] = [];
      for (let number = 1; number <= trials; number++) latencyMs.push(await trial(number, arrivals, bridge, context));
      const canaryMs = await canary.ask<number>("worst", null, ASK_LIMIT_MS);
      context.say(`stop-on-line, ${name}: p99 ${rounded(quantile(latencyMs, 0.99))} ms`);
      return { name, latencyMs, canaryMs, line: await line.taken() };
    };
    const idle = await phase("idle controller");
    const calm = busyController(PASSWORD_HASHES, directory);
    const busy = await phase("eight password hashes and a slow disk").finally(calm);
    return judged([idle, busy], plan);
  } finally {
    await bridge.stop();
    await canary.stop();
    await line.stop();
    await pinned(process.pid, allCores());
    setPriority(own);
  }
}

type Arrivals = Map<number, (atNs: bigint) => void>;

/** Who waits for which stop: its number goes out as the value that is written. */
async function heardStops(line: PacedLine): Promise<Arrivals> {
  const arrivals: Arrivals = new Map();
  await line.onWrite(({ address, value, atNs }: WriteHeard) => {
    if (address === STOP_REGISTER) arrivals.get(value)?.(BigInt(atNs));
  });
  return arrivals;
}

async function trial(number: number, arrivals: Arrivals, bridge: Worker, { clock, random }: BenchContext) {
  await sleep(clock, random.next() * PAUSE_MS);
  const heard = Promise.withResolvers<bigint>();
  arrivals.set(number, heard.resolve);
  const limit = clock.after(ASK_LIMIT_MS, () =>
    heard.reject(new BenchError("too-slow", { number }, "a stop never reached the line")),
  );
  const asked: StopAsked = { unit: 1 + (number % UNITS), address: STOP_REGISTER, value: number };
  try {
    const askedNs = clock.monotonicNs();
    const [atNs] = await Promise.all([heard.promise, bridge.ask("stop", asked, ASK_LIMIT_MS)]);
    return Number(atNs - askedNs) / 1e6;
  } finally {
    limit.cancel();
    arrivals.delete(number);
  }
}

function judged(phases: readonly Phase[], plan: LoadPlan): Measurement {
  const poll = { fn: "read", address: 0, quantity: REGISTERS } as const;
  // Every unit answers here, so its known turn-around bounds the transaction in flight: a time-out would flatter.
  const cost = lineLinkCost(plan);
  const boundMs = stopBoundMs({ ...cost, replyWaitMaxUs: TURNAROUND_US }, 0, [poll]);
  const excess = ({ latencyMs }: Phase) => latencyMs.map((ms) => ms - boundMs);
  const share = (phase: Phase) =>
    Math.max(
      quantile(excess(phase), 0.99) / P99_MS,
      quantile(excess(phase), 1) / (MAX_ABOVE_CANARY_MS + phase.canaryMs),
    );
  const worst = phases.reduce((a, b) => (share(a) >= share(b) ? a : b));
  const clean = phases.every(
    ({ line }) => line.shortGaps + line.collisions === 0 && !punctuality(line, TRANSACTION_US).isVoid,
  );
  return {
    value: quantile(excess(worst), 0.99),
    unit: "ms beyond the bound",
    reference: { name: "worst lateness of an idle canary process, ms", value: worst.canaryMs },
    ratio: share(worst),
    bar: `p99 <= ${P99_MS} ms and max <= ${MAX_ABOVE_CANARY_MS} ms above the canary (ratio <= 1: the fuller of both, the worse phase)`,
    holds: clean && share(worst) <= 1,
    runs: phases.length,
    spread: spreadOf(phases.map(share)),
    more: {
      boundMs: rounded(boundMs),
      linkBoundMs: rounded(stopBoundMs(cost, 0, [poll])),
      phases: phases.map((phase) => ({
        name: phase.name,
        trials: phase.latencyMs.length,
        excessP99Ms: rounded(quantile(excess(phase), 0.99)),
        excessMaxMs: rounded(quantile(excess(phase), 1)),
        latencyP50Ms: rounded(quantile(phase.latencyMs, 0.5)),
        latencyP99Ms: rounded(quantile(phase.latencyMs, 0.99)),
        canaryMs: rounded(phase.canaryMs),
        shortGaps: phase.line.shortGaps,
        collisions: phase.line.collisions,
        ...punctuality(phase.line, TRANSACTION_US),
      })),
    },
  };
}
