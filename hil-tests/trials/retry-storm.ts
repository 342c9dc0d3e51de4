import type { AcceptedView } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import { signalService } from "../box/patient-asking.ts";
import { readyAxis } from "../box/ready-axis.ts";
import type { RunningBox, ServiceName } from "../box/running-box.ts";
import { until } from "../box/until.ts";

const BACK_LIMIT_MS = 45_000;
const COUNTS_PER_UNIT = 100;
/** A client that was told to slow down, or that reached nobody, waits so long. */
const PATIENCE_MS = 50;

export interface StormOptions {
  readonly axis: string;
  readonly clients: number;
  /** Answers 202 of all clients together. */
  readonly retries: number;
  /** Killed one after the other, spread over the retries. */
  readonly kills: readonly ServiceName[];
  /** Where the one move goes: nothing else in the drive's record goes there. */
  readonly position: number;
  readonly key: string;
}

export interface StormResult {
  readonly clients: number;
  readonly retries: number;
  readonly kills: number;
  /** Answers by status; 0 is none. */
  readonly answers: Readonly<Record<string, number>>;
  readonly commandIds: readonly string[];
  readonly state: string;
  /** Starts towards its target in the drive's own record. */
  readonly starts: number;
  readonly broken: readonly string[];
}

/** One command under one key, asked for again and again by many clients while services die. */
export async function runRetryStorm(box: RunningBox, clock: Clock, options: StormOptions): Promise<StormResult> {
  const { axis, clients, retries, kills, position } = options;
  await readyAxis(box, axis);
  const answers: Record<string, number> = {};
  const ids = new Set<string>();
  let replayed = 0;
  const pause = () => new Promise<void>((resolve) => void clock.after(PATIENCE_MS, resolve));
  const client = async () => {
    while (replayed < retries) {
      const answer = await ask(box, options).catch(() => undefined);
      const status = answer?.status ?? 0;
      answers[status] = (answers[status] ?? 0) + 1;
      if (answer?.status !== 202) {
        await pause();
        continue;
      }
      replayed += 1;
      ids.add(answer.body.commandId);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  for (const [n, service] of kills.entries()) {
    await until(
      "the storm goes on",
      () => replayed,
      (now) => now >= ((n + 1) * retries) / (kills.length + 1),
      600_000,
    );
    await killAndReturn(box, service);
  }
  await all;
  const [commandId = ""] = ids;
  const story = await until(
    "the command has ended",
    () => box.command(commandId),
    ({ state }) => !["accepted", "dispatched", "acknowledged", "moving"].includes(state),
    BACK_LIMIT_MS,
  );
  const target = Math.round(position * COUNTS_PER_UNIT);
  const { record } = await box.drive(axis);
  const starts = record.filter((write) => write.kind.startsWith("start") && write.target === target).length;
  const odd = Object.keys(answers).filter((status) => !["0", "202", "429", "502", "503", "504"].includes(status));
  const laws: readonly (readonly [boolean, string])[] = [
    [ids.size === 1, `${ids.size} commands under one key`],
    [starts <= 1, `${starts} starts of one command`],
    [story.state !== "succeeded" || starts === 1, `told as succeeded after ${starts} starts`],
    [odd.length === 0, `answers ${odd.join(", ")}`],
  ];
  const broken = laws.flatMap(([holds, words]) => (holds ? [] : [words]));
  const counts = { clients, retries: replayed, kills: kills.length, answers };
  return { ...counts, commandIds: [...ids], state: story.state, starts, broken };
}

function ask(box: RunningBox, { axis, key, position }: StormOptions) {
  const body = { type: "MoveAbsolute", position, velocity: 100, ttlMs: 60_000 };
  return box.call<AcceptedView>("POST", `/v1/axes/${axis}/commands`, body, { "idempotency-key": key });
}

/** SIGKILL, and until the supervisor has brought it back. */
export async function killAndReturn(box: RunningBox, service: ServiceName): Promise<void> {
  const pid = await signalService(box, service, "SIGKILL");
  await until(
    `${service} is back in a new process`,
    () => box.pid(service),
    (now) => now !== undefined && now !== pid,
    BACK_LIMIT_MS,
  );
}
