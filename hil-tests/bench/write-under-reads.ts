import { type BenchBox, TAPPED_AXIS } from "./bench-box.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import { atMost, type Measurement, measurementOf } from "./bench-result.ts";
import type { CommandFigures, CommandPlan } from "./command-load.ts";
import { interleaved } from "./interleave.ts";
import { allCores, pinned, processTree, wordsOf } from "./process-cores.ts";
import type { ReadFigures, ReadPlan } from "./read-load.ts";
import { quantile, rounded } from "./statistics.ts";
import { startWorker, type Worker } from "./worker.ts";

const CONNECTIONS = 20;
const PAUSE_MS = 10;
const SLACK_MS = 20_000;
const READ_LIMIT_MS = 120_000;
const ATTEMPTS_MAX = 3;
const WRITE_CORE = "0";
const READ_CORE = "1";

/**
 * 99th percentile of POST to 202 while the read side is asked without pause, against the same while it is left alone. The
 * write side and its caller have one core, everything else the other, so that the reads can only hurt through the system.
 */
export async function writeUnderReads(context: BenchContext): Promise<Measurement> {
  const { clock } = context;
  const box = await context.box();
  await box.ready(TAPPED_AXIS);
  const [writes, reads] = [startWorker("command-load", clock), startWorker("read-load", clock)];
  const unpin = await splitCores(box, writes);
  if (!unpin) context.say("taskset is missing or refused: the cores are shared, the figure is not the one of the bar");
  try {
    const count = sized(context, 400, 60);
    const writing = () => writeP99(context, box, writes, count);
    const underReads = async () => {
      const reading = readWithoutPause(box, reads);
      const p99 = await writing().finally(() => reads.ask("enough", null, SLACK_MS));
      await reading;
      return p99;
    };
    await writeP99(context, box, writes, 20);
    const { a, b } = await interleaved(sized(context, 7, 3), underReads, writing);
    return measurementOf({
      unit: "ms",
      values: a,
      references: b,
      referenceName: "the same writes with the read side idle",
      bar: atMost(1.2),
      more: { writesPerRun: count, readConnections: CONNECTIONS, pinned: unpin !== undefined },
    });
  } finally {
    await unpin?.();
    await writes.stop();
    await reads.stop();
  }
}

/** A run in which a move was refused (a drive that went offline on a busy machine was stopped) is made again. */
async function writeP99({ say }: BenchContext, box: BenchBox, writes: Worker, count: number): Promise<number> {
  const plan: CommandPlan = {
    target: box.controller,
    axis: TAPPED_AXIS,
    positions: [1, 3],
    count,
    pauseMs: PAUSE_MS,
  };
  for (let attempt = 1; ; attempt++) {
    await box.ready(TAPPED_AXIS);
    const { latenciesMs, others } = await writes.ask<CommandFigures>("run", plan, count * PAUSE_MS + SLACK_MS);
    if (Object.keys(others).length === 0) return quantile(latenciesMs, 0.99);
    if (attempt === ATTEMPTS_MAX) throw new BenchError("unexpected-answer", { others }, "moves were refused");
    say(`moves were refused, the run is made again: ${JSON.stringify(others).slice(0, 300)}`);
  }
}

/** Until it is told that it is enough. */
async function readWithoutPause(box: BenchBox, reads: Worker): Promise<void> {
  const plan: ReadPlan = {
    target: box.dashboard,
    path: `/v1/axes/${TAPPED_AXIS}`,
    connections: CONNECTIONS,
    durationMs: READ_LIMIT_MS,
  };
  const { requestsPerS, notOk } = await reads.ask<ReadFigures>("run", plan, READ_LIMIT_MS + SLACK_MS);
  if (notOk > 0 || requestsPerS < 1)
    throw new BenchError("unexpected-answer", { notOk, requestsPerS: rounded(requestsPerS) }, "the reads failed");
}

/** Drives and cables have processors of their own: their stand-ins run wherever there is room. */
const standsForHardware = (pid: number) => wordsOf(pid).some((word) => word === "sim" || word === "wire-tap");

/** Gives back the way to undo it, or undefined when the cores stay shared. */
async function splitCores(box: BenchBox, writes: Worker): Promise<(() => Promise<void>) | undefined> {
  const controller = box.running.pid("controller");
  if (controller === undefined) return undefined;
  const writeSide = [...processTree(controller), writes.pid];
  const rest = processTree(process.pid).filter((pid) => !writeSide.includes(pid) && !standsForHardware(pid));
  const outcomes = [
    ...(await Promise.all(writeSide.map((pid) => pinned(pid, WRITE_CORE)))),
    ...(await Promise.all(rest.map((pid) => pinned(pid, READ_CORE)))),
  ];
  const undo = async () => {
    await Promise.all([...writeSide, ...rest].map((pid) => pinned(pid, allCores())));
  };
  if (outcomes.includes(true) && outcomes.filter((done) => !done).length <= 1) return undo;
  await undo();
  return undefined;
}
