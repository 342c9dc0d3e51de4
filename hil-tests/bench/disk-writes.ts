import { readFileSync } from "node:fs";
import { sleep } from "@servofleet/runtime/clock";
import { readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, type ServiceName, startBox } from "../box/running-box.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import { atMost, type Measurement, measurementOf } from "./bench-result.ts";
import { rounded } from "./statistics.ts";

/** The day that is promised: this many axes at default polling, and so many commands. */
const AXES = 32;
const COMMANDS_A_DAY = 5000;
const SECONDS_A_DAY = 86_400;
const LIMIT_BYTES = 2e9;
const GB = 1e9;
/** As in the schema of fleet.yaml. */
const DEFAULT_POLL = { movingMs: 20, idleMs: 200 };
const SERVICES: readonly ServiceName[] = ["controller", "bridge", "gateway", "dashboard"];
/** Axes on TCP: a serial line would move them no cheaper, and a busy machine keeps its simulated drives from answering. */
const MOVED = ["z1", "z2"] as const;
/** Flushes of the telemetry store come every five seconds: a window holds whole ones. */
const FLUSH_S = 5;

/**
 * What all services of a box cause to be written in a day, from two slices: axes at rest for a while, then moves one after
 * the other. The slices are of 8 axes; the day is of 32, and everything at rest is taken times four.
 */
export async function diskWrites(context: BenchContext): Promise<Measurement> {
  context.say("starting a box of real processes ...");
  const running = await startBox({
    fleet: (fleet) => ({ ...fleet, axes: fleet.axes.map((axis) => ({ ...axis, poll: DEFAULT_POLL })) }),
  });
  try {
    const axes = (await running.call<{ items: readonly { id: string }[] }>("GET", "/v1/axes")).body.items;
    for (const id of MOVED) await readyAxis(running, id);
    const restS = sized(context, 24, 3) * FLUSH_S;
    const rest = await writtenIn(running, () => sleep(context.clock, restS * 1000));
    const commands = sized(context, 40, 8);
    const startedMs = context.clock.monotonicMs();
    const moves = await writtenIn(running, () => moveAround(running, commands));
    const movesS = (context.clock.monotonicMs() - startedMs) / 1000;
    const restBytesPerS = sum(rest) / restS;
    const commandBytes = Math.max(0, sum(moves) - restBytesPerS * movesS) / commands;
    const restDay = (restBytesPerS * SECONDS_A_DAY * AXES) / axes.length;
    return measurementOf({
      unit: "GB a day",
      values: [(restDay + commandBytes * COMMANDS_A_DAY) / GB],
      references: [LIMIT_BYTES / GB],
      referenceName: "limit, GB a day",
      bar: atMost(1),
      more: {
        axes: AXES,
        commands: COMMANDS_A_DAY,
        atRestGBADay: rounded(restDay / GB),
        kiBPerCommand: rounded(commandBytes / 1024),
        restKiBPerS: inKiB(rest, restS),
        movesKiBPerCommand: inKiB(moves, commands),
        measuredS: rounded(restS + movesS),
      },
    });
  } finally {
    await running.stop();
  }
}

async function moveAround(running: RunningBox, commands: number): Promise<void> {
  for (let n = 0; n < commands; n++) {
    const id = MOVED[n % MOVED.length] ?? MOVED[0];
    const position = Math.floor(n / MOVED.length) % 2 === 0 ? 40 : 10;
    await running.run(id, { type: "MoveAbsolute", position, velocity: 100 });
  }
}

type Bytes = Readonly<Record<string, number>>;
const sum = (parts: Bytes): number => Object.values(parts).reduce((total, bytes) => total + bytes, 0);
const inKiB = (parts: Bytes, times: number): Bytes =>
  Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [name, rounded(bytes / times / 1024)]));

/** Bytes that each service caused to be sent to the disk meanwhile (`write_bytes` of proc(5)). */
async function writtenIn(running: RunningBox, work: () => Promise<unknown>): Promise<Bytes> {
  const before = written(running);
  await work();
  const after = written(running);
  const bytes = Object.fromEntries(SERVICES.map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)]));
  if (sum(bytes) === 0)
    throw new BenchError("nothing-measured", { bytes }, "the data directory is no disk: name one with TMPDIR");
  return bytes;
}

function written(running: RunningBox): Bytes {
  const of = (service: ServiceName): number => {
    const text = readFileSync(`/proc/${running.pid(service)}/io`, "latin1");
    return Number(/^write_bytes: (\d+)$/m.exec(text)?.[1]);
  };
  return Object.fromEntries(SERVICES.map((service) => [service, of(service)]));
}
