import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { CommandId, CommandView } from "@servofleet/contracts";
import { TERMINAL_STATES } from "@servofleet/contracts";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { type LogReader, openLogReader } from "@servofleet/runtime/log-reader";
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
 * From the acceptance of a move, as its event in the log has it, to the first byte on an idle Modbus TCP line that goes out
 * because of it: commit, bridge, wire. Against a bare fsync and a write to a socket, one after the other in turns. Beside
 * it the way from the POST at the controller, and the way to the first write after the look at the drive.
 */
export async function acceptedToWire(context: BenchContext): Promise<Measurement> {
  const { clock } = context;
  const box = await context.box();
  await box.ready(TAPPED_AXIS);
  const bare = await openBareSyncWrite(box.running.data, box.barePort, clock);
  const client = new KeepAliveClient(box.controller);
  const log = await openLogReader({ file: join(box.running.data, "events.db"), clock });
  const all: Journey[] = [];
  const perRun = { ours: [] as number[], bare: [] as number[] };
  try {
    for (let run = 0; run < sized(context, 5, 2); run++) {
      const ours: Journey[] = [];
      const bareMs: number[] = [];
      for (let sample = 0; sample < sized(context, 200, 15); sample++) {
        ours.push(await moveOnce(box, client, log, clock, sample % 2 === 0 ? 0.5 : 1));
        const arrived = notesUntil("bare", box, clock);
        const startedNs = bare.once();
        bareMs.push(toMs((await arrived).atNs - startedNs));
      }
      perRun.ours.push(
        quantile(
          ours.map((journey) => journey.acceptedToByteMs),
          0.99,
        ),
      );
      perRun.bare.push(quantile(bareMs, 0.99));
      all.push(...ours);
    }
  } finally {
    await log.close();
    client.close();
    bare.close();
  }
  const both = (name: keyof Journey) => {
    const values = all.map((journey) => journey[name]);
    return {
      [name.replace("Ms", "P50Ms")]: rounded(quantile(values, 0.5)),
      [name.replace("Ms", "P99Ms")]: rounded(quantile(values, 0.99)),
    };
  };
  return measurementOf({
    unit: "ms",
    values: perRun.ours,
    references: perRun.bare,
    referenceName: "bare fsync and write, 99th percentile",
    bar: atMost(2),
    more: {
      ...both("acceptedToByteMs"),
      ...both("acceptedToWriteMs"),
      ...both("postToByteMs"),
      ...both("postToWriteMs"),
      ...both("postToAnswerMs"),
      samples: all.length,
    },
  });
}

/** One move, ms. */
interface Journey {
  /** From its acceptance to the first byte because of it. */
  readonly acceptedToByteMs: number;
  /** And to the first byte of its first write. */
  readonly acceptedToWriteMs: number;
  readonly postToByteMs: number;
  readonly postToWriteMs: number;
  /** From the POST to the 202. */
  readonly postToAnswerMs: number;
}

const toMs = (ns: bigint): number => Number(ns) / 1e6;

async function moveOnce(
  box: BenchBox,
  client: KeepAliveClient,
  log: LogReader,
  clock: Clock,
  position: number,
): Promise<Journey> {
  const arrived = notesUntil("write", box, clock);
  const body = JSON.stringify({ type: "MoveAbsolute", position });
  const key = `idempotency-key: ${randomUUID()}\r\n`;
  const postedNs = clock.monotonicNs();
  const answer = await client.request("POST", `/v1/axes/${TAPPED_AXIS}/commands`, body, key);
  const postToAnswerMs = toMs(clock.monotonicNs() - postedNs);
  if (answer.status !== 202)
    throw new BenchError("unexpected-answer", { status: answer.status, body: answer.body }, "a move was refused");
  const { commandId } = JSON.parse(answer.body) as { commandId: CommandId };
  const { atNs: writeNs, before } = await arrived;
  await untilEnded(box, commandId, clock);
  const acceptedNs = await acceptedAt(commandId, log);
  // A poll that was just then on its way is older than the acceptance.
  const byteNs = before.find((atNs) => atNs > acceptedNs) ?? writeNs;
  await sleep(clock, REST_MS);
  return {
    acceptedToByteMs: toMs(byteNs - acceptedNs),
    acceptedToWriteMs: toMs(writeNs - acceptedNs),
    postToByteMs: toMs(byteNs - postedNs),
    postToWriteMs: toMs(writeNs - postedNs),
    postToAnswerMs,
  };
}

async function acceptedAt(commandId: CommandId, log: LogReader): Promise<bigint> {
  const accepted = (await log.readCommand(commandId)).find(({ type }) => type === "MoveAccepted");
  if (!accepted)
    throw new BenchError("unexpected-answer", { commandId }, "a move that was answered 202 is not in the log");
  return BigInt(accepted.monoNs);
}

/** The next note of this kind from the tap, and those before it since now, monotonic ns. */
function notesUntil(
  kind: TapNote["kind"],
  box: BenchBox,
  clock: Clock,
): Promise<{ atNs: bigint; before: readonly bigint[] }> {
  return new Promise((resolve, reject) => {
    const limit = clock.after(WIRE_LIMIT_MS, () =>
      reject(new BenchError("too-slow", { kind, limitMs: WIRE_LIMIT_MS }, "nothing reached the wire")),
    );
    const before: bigint[] = [];
    box.onWire((note) => {
      const atNs = BigInt(note.atNs);
      if (note.kind !== kind) return void before.push(atNs);
      limit.cancel();
      resolve({ atNs, before });
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
