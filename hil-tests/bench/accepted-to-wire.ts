import { randomUUID } from "node:crypto";
import type { CommandView } from "@servofleet/contracts";
import { TERMINAL_STATES } from "@servofleet/contracts";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { openBareSyncWrite } from "./bare-sync-write.ts";
import { type BenchBox, TAPPED_AXIS } from "./bench-box.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import { atMost, type Measurement, measurementOf } from "./bench-result.ts";
import { KeepAliveClient } from "./keep-alive-client.ts";
import { quantile, rounded } from "./statistics.ts";
import type { TapNote } from "./wire-tap.ts";

const WIRE_LIMIT_MS = 3000;
const END_LIMIT_MS = 10_000;
const LOOK_MS = 5;
/** A little rest, so that the last write of the move before is not taken for the first of this one. */
const REST_MS = 20;

/**
 * From the POST of a move at the controller to the first byte of its first write at the drive's end of an idle Modbus TCP
 * line, against a bare fsync and a write to a socket, one after the other in turns.
 */
export async function acceptedToWire(context: BenchContext): Promise<Measurement> {
  const { clock } = context;
  const box = await context.box();
  await box.ready(TAPPED_AXIS);
  const bare = await openBareSyncWrite(box.running.data, box.barePort, clock);
  const client = new KeepAliveClient(box.controller);
  const figures = { ours: [] as number[], bare: [] as number[], looked: [] as number[], answered: [] as number[] };
  const perRun = { ours: [] as number[], bare: [] as number[] };
  try {
    for (let run = 0; run < sized(context, 5, 2); run++) {
      const here = { ours: [] as number[], bare: [] as number[] };
      for (let sample = 0; sample < sized(context, 60, 15); sample++) {
        const { wireMs, lookMs, answeredMs } = await moveOnce(box, client, clock, sample % 2 === 0 ? 0.5 : 1);
        here.ours.push(wireMs);
        figures.looked.push(lookMs);
        figures.answered.push(answeredMs);
        const arrived = nextNotes(box, clock, "bare");
        const startedNs = bare.once();
        here.bare.push(Number((await arrived).lastNs - startedNs) / 1e6);
      }
      perRun.ours.push(quantile(here.ours, 0.99));
      perRun.bare.push(quantile(here.bare, 0.99));
      figures.ours.push(...here.ours);
      figures.bare.push(...here.bare);
    }
  } finally {
    client.close();
    bare.close();
  }
  return measurementOf({
    unit: "ms",
    values: perRun.ours,
    references: perRun.bare,
    referenceName: "bare fsync and write, 99th percentile",
    bar: atMost(2),
    more: {
      p50: rounded(quantile(figures.ours, 0.5)),
      bareP50: rounded(quantile(figures.bare, 0.5)),
      firstRequestP50: rounded(quantile(figures.looked, 0.5)),
      firstRequestP99: rounded(quantile(figures.looked, 0.99)),
      acceptedP50: rounded(quantile(figures.answered, 0.5)),
      samples: figures.ours.length,
    },
  });
}

async function moveOnce(box: BenchBox, client: KeepAliveClient, clock: Clock, position: number) {
  const arrived = nextNotes(box, clock);
  const body = JSON.stringify({ type: "MoveAbsolute", position });
  const key = `idempotency-key: ${randomUUID()}\r\n`;
  const startedNs = clock.monotonicNs();
  const answer = await client.request("POST", `/v1/axes/${TAPPED_AXIS}/commands`, body, key);
  const answeredMs = Number(clock.monotonicNs() - startedNs) / 1e6;
  if (answer.status !== 202)
    throw new BenchError("unexpected-answer", { status: answer.status, body: answer.body }, "a move was refused");
  const { firstNs, lastNs } = await arrived;
  const wireMs = Number(lastNs - startedNs) / 1e6;
  const lookMs = Number(firstNs - startedNs) / 1e6;
  await untilEnded(box, (JSON.parse(answer.body) as { commandId: string }).commandId, clock);
  await sleep(clock, REST_MS);
  return { wireMs, lookMs, answeredMs };
}

/** The next note of this kind from the tap and the first of any kind, monotonic ns. */
function nextNotes(
  box: BenchBox,
  clock: Clock,
  kind: TapNote["kind"] = "write",
): Promise<{ firstNs: bigint; lastNs: bigint }> {
  return new Promise((resolve, reject) => {
    const limit = clock.after(WIRE_LIMIT_MS, () =>
      reject(new BenchError("too-slow", { kind, limitMs: WIRE_LIMIT_MS }, "nothing reached the wire")),
    );
    let firstNs: bigint | undefined;
    box.onWire((note) => {
      const atNs = BigInt(note.atNs);
      firstNs ??= atNs;
      if (note.kind !== kind) return;
      limit.cancel();
      resolve({ firstNs, lastNs: atNs });
    });
  });
}

async function untilEnded(box: BenchBox, commandId: string, clock: Clock): Promise<void> {
  const limitMs = clock.monotonicMs() + END_LIMIT_MS;
  for (;;) {
    const { status, body } = await box.running.call<CommandView>("GET", `/v1/commands/${commandId}`);
    if (status === 200 && TERMINAL_STATES.has(body.state)) return;
    if (clock.monotonicMs() > limitMs)
      throw new BenchError("too-slow", { commandId, status, state: body.state }, "a move does not end");
    await sleep(clock, LOOK_MS);
  }
}
