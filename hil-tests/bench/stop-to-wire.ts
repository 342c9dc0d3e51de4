import { randomUUID } from "node:crypto";
import { type CloudEvent, type EventData, type Page, parseRfc3339 } from "@servofleet/contracts";
import { sleep } from "@servofleet/runtime/clock";
import type { MotionWrite } from "../sim/drive-record.ts";
import type { BenchBox } from "./bench-box.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import type { Measurement } from "./bench-result.ts";
import { KeepAliveClient } from "./keep-alive-client.ts";
import { quantile, rounded, spreadOf } from "./statistics.ts";
import { startWorker } from "./worker.ts";

const MOVES = 1000;
/** Bars beyond the computed bound of a link, ms. */
const P99_MS = 2;
const MAX_ABOVE_CANARY_MS = 5;
const WIRE_LIMIT_MS = 5000;
const LOOK_MS = 50;
const CANARY_LIMIT_MS = 5000;

interface Round {
  /** Stop request to the complete stop frame in the drive, per axis, less the bound of its link, ms. */
  readonly excessMs: readonly number[];
  readonly latencyMs: readonly number[];
  /** Bounds of the links, ms: an excess says nothing without them. */
  readonly boundsMs: readonly number[];
  /** How long the request was on its way through the gateway and in the controller's queue, ms. */
  readonly toControllerMs: number;
  readonly canaryMs: number;
  readonly moves: Readonly<Record<string, number>>;
}

/**
 * A stop of everything at the gateway while 1,000 moves over all axes are under way, each aborting its predecessor. What
 * counts is the time in the simulated drive's own record, less the bound that the link itself computes.
 */
export async function stopToWire(context: BenchContext): Promise<Measurement> {
  const box = await context.box();
  await allReady(box);
  const canary = startWorker("canary", context.clock);
  const rounds: Round[] = [];
  try {
    for (let run = 0; run < sized(context, 10, 2); run++) {
      await canary.ask("worst", null, CANARY_LIMIT_MS);
      const stopped = await stopInFullFlight(context, box);
      rounds.push({ ...stopped, canaryMs: await canary.ask<number>("worst", null, CANARY_LIMIT_MS) });
      await allReady(box);
    }
  } finally {
    await canary.stop();
  }
  return judge(rounds);
}

/** Waits for standstill, releases the latches and makes every axis ready again. */
const allReady = (box: BenchBox): Promise<unknown> => Promise.all(box.axes.map((axis) => box.ready(axis)));

function judge(rounds: readonly Round[]): Measurement {
  const excess = rounds.flatMap(({ excessMs }) => excessMs);
  const latency = rounds.flatMap(({ latencyMs }) => latencyMs);
  const canaryMs = quantile(
    rounds.map((round) => round.canaryMs),
    1,
  );
  const share = (values: readonly number[]) =>
    Math.max(quantile(values, 0.99) / P99_MS, quantile(values, 1) / (MAX_ABOVE_CANARY_MS + canaryMs));
  const ratio = share(excess);
  return {
    value: quantile(excess, 0.99),
    unit: "ms beyond the bound",
    reference: { name: "worst lateness of an idle canary process, ms", value: canaryMs },
    ratio,
    bar: `p99 <= ${P99_MS} ms and max <= ${MAX_ABOVE_CANARY_MS} ms above the canary (ratio <= 1: the fuller of both)`,
    holds: ratio <= 1,
    runs: rounds.length,
    spread: spreadOf(rounds.map(({ excessMs }) => share(excessMs))),
    more: {
      bounds: spreadOf(rounds.flatMap(({ boundsMs }) => boundsMs)).map(rounded),
      maxExcess: rounded(quantile(excess, 1)),
      latencyP50: rounded(quantile(latency, 0.5)),
      latencyP99: rounded(quantile(latency, 0.99)),
      toController: rounds.map(({ toControllerMs }) => rounded(toControllerMs)),
      samples: excess.length,
      moves: rounds.map(({ moves }) => moves),
    },
  };
}

async function stopInFullFlight({ clock }: BenchContext, box: BenchBox): Promise<Omit<Round, "canaryMs">> {
  const bounds = await stopBounds(box);
  const stopClient = new KeepAliveClient(box.gateway);
  // Opens the connection: a person who stops has the page open.
  await stopClient.request("GET", "/livez");
  const moves = await flight(box);
  await moves.first;
  const startedUs = clock.wallUs();
  const startedNs = clock.monotonicNs();
  const { status } = await stopClient.request("POST", "/v1/stop");
  stopClient.close();
  if (status !== 200 && status !== 202) throw new BenchError("unexpected-answer", { status }, "the stop was refused");
  const counted = await moves.all;
  const latencyMs: number[] = [];
  const excessMs: number[] = [];
  for (const axis of box.axes) {
    const ms = await stopArrivedMs(box, axis, startedNs, clock.monotonicMs() + WIRE_LIMIT_MS, clock);
    latencyMs.push(ms);
    excessMs.push(ms - (bounds.get(axis) ?? 0));
  }
  return {
    latencyMs,
    excessMs,
    boundsMs: [...bounds.values()],
    toControllerMs: ((await latchedAtUs(box)) - startedUs) / 1000,
    moves: counted,
  };
}

/** When the controller took the newest stop, wall clock, as it wrote it down. */
async function latchedAtUs(box: BenchBox): Promise<number> {
  const path = `/v1/events?type=StopLatched&axis=${box.axes[0]}&limit=1000`;
  const { body } = await box.running.call<Page<CloudEvent>>("GET", path);
  const data = body.items.at(-1)?.data as EventData<"StopLatched"> | undefined;
  return parseRfc3339(data?.at ?? "") ?? Number.NaN;
}

/** Bound of the link of each axis, ms. */
async function stopBounds(box: BenchBox): Promise<Map<string, number>> {
  const bounds = new Map<string, number>();
  for (const { id, budget, units } of await box.links()) {
    const { stopBoundMs } = budget;
    if (stopBoundMs === null) throw new BenchError("nothing-measured", { link: id }, "a link has no stop bound yet");
    for (const { axis } of units) if (axis !== null) bounds.set(axis, stopBoundMs);
  }
  return bounds;
}

/** 1,000 moves over all axes, posted at once; `first` resolves when as many were answered as there are axes. */
async function flight(box: BenchBox) {
  const clients = Array.from({ length: MOVES }, () => new KeepAliveClient(box.gateway));
  // Connections first: what is to be in flight are moves.
  await Promise.all(clients.map((client) => client.request("GET", "/livez")));
  const first = Promise.withResolvers<void>();
  const statuses: Record<string, number> = {};
  let answered = 0;
  const post = async (client: KeepAliveClient, move: number) => {
    const axis = box.axes[move % box.axes.length];
    const body = JSON.stringify({ type: "MoveAbsolute", position: 20 + (move % 200) });
    const key = `idempotency-key: ${randomUUID()}\r\n`;
    const { status } = await client.request("POST", `/v1/axes/${axis}/commands`, body, key);
    statuses[status] = (statuses[status] ?? 0) + 1;
    answered += 1;
    if (answered === box.axes.length) first.resolve();
    client.close();
  };
  const all = Promise.all(clients.map(post)).then(() => statuses);
  all.catch((error: unknown) => first.reject(error));
  return { first: first.promise, all };
}

/** When the drive had the whole stop frame, ms after `startedNs`. */
async function stopArrivedMs(
  box: BenchBox,
  axis: string,
  startedNs: bigint,
  limitMs: number,
  clock: BenchContext["clock"],
): Promise<number> {
  for (;;) {
    const { record } = await box.running.simulated<{ record: readonly MotionWrite[] }>("GET", `/drives/${axis}`);
    const stop = record.find(({ kind, atNs }) => (kind === "stop" || kind === "halt") && BigInt(atNs) >= startedNs);
    if (stop) return Number(BigInt(stop.atNs) - startedNs) / 1e6;
    if (clock.monotonicMs() > limitMs) throw new BenchError("too-slow", { axis }, "a stop never reached its drive");
    await sleep(clock, LOOK_MS);
  }
}
