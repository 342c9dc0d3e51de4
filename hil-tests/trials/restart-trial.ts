import {
  COMMAND_STATE_AFTER,
  type CommandState,
  type ControllerBeat,
  type Order,
  type OrderMessage,
  type RecordedEvent,
  TERMINAL_STATES,
} from "@servofleet/contracts";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import type { MotionWrite } from "../sim/drive-record.ts";
import { type Victim, VirtualBox } from "./virtual-box.ts";
import { type FleetChoice, type VirtualModel, virtualFleet } from "./virtual-fleet.ts";
import { spoiledBus } from "./watched-bus.ts";

/** Where in the life of a move the process dies: when this event of it is on the disk. */
export const CRASH_POINTS = [
  "MoveAccepted",
  "DispatchStarted",
  "CommandSent",
  "DispatchAcknowledged",
  "MotionStarted",
  "CommandSucceeded",
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/**
 * What the drive shows when it is read again. `back-moving`: silent for longer than the recovery waits, and then it still moves.
 */
export const SITUATIONS = ["running-on", "arrived", "faulted", "silent", "back-moving", "foreign-motion"] as const;
export type Situation = (typeof SITUATIONS)[number];

export interface RestartCase {
  readonly seed: number;
  readonly model: VirtualModel;
  readonly victim: Victim;
  readonly point: CrashPoint;
  readonly situation: Situation;
  readonly policy: Pick<FleetChoice, "watchdogMs" | "onRestartMoving" | "onControllerLost">;
  /** Between the crash point and the kill, ms. */
  readonly laterMs?: number;
  /** A controller that sends again what it had sent before it died: the trial has to find it out. */
  readonly sendsAgain?: boolean;
}

export interface RestartResult {
  /** How the move ended in the end; undefined: still open. */
  readonly state: CommandState | undefined;
  /** From the first word of the bridge to the end of the recovery, ms. */
  readonly classifiedMs: number;
  readonly finding: string | null;
  readonly action: string | null;
  readonly reconcileRequired: boolean;
  readonly unexpected: boolean;
  /** The drive moves at the end of the trial. */
  readonly moving: boolean;
  /** Motion writes that reached the drive after the kill. */
  readonly writes: readonly MotionWrite["kind"][];
  /** Laws that did not hold, in words. */
  readonly broken: readonly string[];
}

/** Longest time until an axis is classified, ms (`reliability.md` A: restart with motion). */
const CLASSIFIED_MAX_MS = 3000;
const SHORT_WAY = 30;
const LONG_WAY = 3500;
/** Slow enough for a long way to outlast the silence of a drive and the probing of a silent unit. */
const VELOCITY = 60;
/** Long enough for a second command to come meanwhile. */
const SLOW_FSYNC_MS = 40;
/** A window for the following error that no move here comes near, counts. */
const SETTING = 60_000;
const SILENT_MS = 6000;
const PROBED_MAX_MS = 40_000;
/** Braking and reading. */
const AFTERMATH_MS = 2000;
/** A process that died had its frame in the kernel: it reaches the drive all the same, ms. */
const IN_KERNEL_MS = 5;
/** The drive's own watchdog has its time before anybody is back. */
const DOWN_MS = 200;
const DOWN_WATCHDOG_MS = 600;
/** Enough to arrive, or to fall behind by more than a drive allows. */
const DOWN_LONG_MS = 2000;
/** The trigger of a person with the maker's tool: ours is the one in path 0. */
const FOREIGN = "0x6002=0x0010";
/** What a restart may write: whatever brings an axis to rest. */
const STOPS: ReadonlySet<MotionWrite["kind"]> = new Set(["stop", "halt", "disable"]);

/** One move, one death, one restart, and the laws of the recovery table against what the drive saw. */
export async function runRestart(restart: RestartCase): Promise<RestartResult> {
  const { seed, model, policy, sendsAgain = false } = restart;
  const bus = sendsAgain ? { bus: sendingAgain() } : {};
  const disk = restart.point === "MoveAccepted" ? { fsyncMs: SLOW_FSYNC_MS } : {};
  const box = await VirtualBox.start({ seed, ...virtualFleet({ models: [model], ...policy }), ...bus, ...disk });
  try {
    return await new Trial(box, restart).run();
  } finally {
    await box.close();
  }
}

/** The fault that the recovery table forbids: once its outcome has been asked for, the last order goes out again with every beat. */
function sendingAgain(): (end: MessageBus) => MessageBus {
  let last: Order | undefined;
  let asked = false;
  let times = 0;
  const orders = (message: OrderMessage): readonly OrderMessage[] => {
    if (message.type === "order") last = message.order;
    asked ||= message.type === "settle";
    return [message];
  };
  const beat = ({ epoch }: ControllerBeat): readonly OrderMessage[] => {
    if (!last || !asked) return [];
    times += 1;
    const orderId = `${last.orderId} again ${times}`;
    return [{ type: "order", order: { ...last, orderId, epoch, notAfterMs: Number.MAX_SAFE_INTEGER } }];
  };
  return (end) => spoiledBus(end, { orders, beat });
}

class Trial {
  readonly #box: VirtualBox;
  readonly #case: RestartCase;

  constructor(box: VirtualBox, restart: RestartCase) {
    this.#box = box;
    this.#case = restart;
  }

  async run(): Promise<RestartResult> {
    const box = this.#box;
    await box.ask("POST", "/v1/axes/a1/commands", { body: { type: "Enable" }, headers: { prefer: "wait=5" } });
    const foreign = this.#case.situation === "foreign-motion";
    const commandId = await this.#moveUntilCrashPoint();
    await box.run(this.#case.laterMs ?? 0);
    const killedAt = box.log.position;
    const killedMs = box.clock.monotonicMs();
    if (foreign) this.#foreignMotion();
    await this.#restart(killedAt);
    await box.run(AFTERMATH_MS);
    return this.#judge(commandId, await box.events(), killedAt, killedMs);
  }

  get #way(): number {
    const { situation, point } = this.#case;
    const short = situation === "arrived" || situation === "foreign-motion" || point === "CommandSucceeded";
    return short ? SHORT_WAY : LONG_WAY;
  }

  /** The command's id is the one that its acceptance has, whether or not the client heard of it. */
  async #moveUntilCrashPoint(): Promise<string> {
    const box = this.#box;
    const before = box.log.position;
    if (this.#case.point === "MoveAccepted") this.#takeLane();
    const body = { type: "MoveAbsolute", position: this.#way, velocity: VELOCITY };
    box.send("POST", "/v1/axes/a1/commands", { body }).catch(() => undefined);
    const seen = async (type: string) => (await box.events(before)).find((event) => event.type === type);
    await box.until(this.#case.point, async () => (await seen(this.#case.point)) !== undefined);
    return (await seen("MoveAccepted"))?.id ?? "";
  }

  /**
   * A move that nothing stands before is dispatched in the append of its acceptance. It is accepted alone only while the
   * write-ahead of another command is on its way to the disk.
   */
  #takeLane(): void {
    const parameter = this.#case.model === "leadshine-icl-rs" ? "followingErrorLimit" : "followingErrorWindow";
    const body = { type: "WriteParameter", parameter, value: SETTING };
    this.#box.send("POST", "/v1/axes/a1/commands", { body }).catch(() => undefined);
  }

  /** A person with the maker's tool starts the last path of the drive again, backwards. */
  #foreignMotion(): void {
    const port = this.#box.plant.port(1);
    const now = this.#box.clock.monotonicNs();
    const write = (address: number, value: number) =>
      port.answer(Buffer.from([0x06, address >> 8, address & 0xff, (value >> 8) & 0xff, value & 0xff]), now);
    // Path 0, high and low word of its target, then its trigger (iCL-RS manual, PR registers).
    port.answer(Buffer.from([0x10, 0x62, 0x01, 0, 2, 4, 0, 4, 0, 0]), now);
    write(0x6002, 0x0010);
  }

  async #restart(killedAt: number): Promise<void> {
    const box = this.#box;
    const { victim, situation, policy } = this.#case;
    const port = box.plant.port(1);
    const silent = situation === "silent" || situation === "back-moving";
    if (situation === "faulted") port.drive.motor.blocked = true;
    if (silent) port.add({ kind: "silence" });
    const downMs = policy.watchdogMs == null ? DOWN_MS : DOWN_WATCHDOG_MS;
    const long = situation === "arrived" || situation === "faulted";
    await box.restart(victim, long ? DOWN_LONG_MS : downMs);
    const seen = (type: string) => async () =>
      (await box.events(killedAt)).some((event) => event.type === type) && port.drive.answering;
    await box.until("a bridge has spoken", seen("BridgeStarted"));
    await box.until("the recovery is over", seen("RecoveryCompleted"));
    if (situation !== "back-moving") return;
    await box.run(SILENT_MS);
    port.clear();
    await box.until("the drive is back", seen("AxisCameOnline"), PROBED_MAX_MS);
  }

  #judge(commandId: string, events: readonly RecordedEvent[], killedAt: number, killedMs: number): RestartResult {
    const own = events.filter((event) => event.commandId === commandId);
    const ends = own
      .map(({ type }) => COMMAND_STATE_AFTER[type])
      .filter((state) => state && TERMINAL_STATES.has(state));
    const after = events.filter(({ position }) => position > killedAt);
    const drive = this.#box.drive("a1");
    const record = drive.record.list();
    const lateNs = BigInt(Math.round((killedMs + IN_KERNEL_MS) * 1e6));
    const writes = record
      .filter(({ atNs, cause }) => BigInt(atNs) > lateNs && cause !== FOREIGN)
      .map(({ kind }) => kind);
    const completed = after.findLast(({ type }) => type === "RecoveryCompleted");
    const [axis] = (completed?.data as { axes?: { finding: string; action: string }[] } | undefined)?.axes ?? [];
    const classifiedMs = classification(after);
    const kinds = new Set(after.map(({ type }) => type));
    const result = {
      state: ends.at(-1),
      classifiedMs,
      finding: axis?.finding ?? null,
      action: axis?.action ?? null,
      reconcileRequired: kinds.has("ReconcileRequired"),
      unexpected: kinds.has("UnexpectedMotionSeen"),
      moving: drive.state().moving,
      writes,
    };
    return { ...result, broken: this.#laws(result, ends.length, record) };
  }

  #laws(result: Omit<RestartResult, "broken">, ends: number, record: readonly MotionWrite[]): string[] {
    const { policy, situation } = this.#case;
    const observed = policy.onRestartMoving === "observe";
    const starts = record.filter(({ kind, cause }) => kind.startsWith("start") && cause !== FOREIGN).length;
    const laws: readonly (readonly [boolean, string])[] = [
      [result.writes.every((kind) => STOPS.has(kind)), `wrote ${result.writes.join(", ")} after the restart`],
      [starts <= 1, `${starts} starts for one move`],
      [ends === 1 || (ends === 0 && observed), `${ends} ends for one move`],
      [result.classifiedMs <= CLASSIFIED_MAX_MS + 100, `classified after ${Math.round(result.classifiedMs)} ms`],
      [!result.moving || observed || situation === "silent", "the axis still moves"],
    ];
    return laws.flatMap(([holds, words]) => (holds ? [] : [words]));
  }
}

/** From the first word of the last bridge to the end of its recovery, ms. */
function classification(after: readonly RecordedEvent[]): number {
  const started = after.findLast(({ type }) => type === "BridgeStarted");
  const completed = after.findLast(({ type }) => type === "RecoveryCompleted");
  if (!started || !completed) return Number.POSITIVE_INFINITY;
  return (completed.wallUs - started.wallUs) / 1000;
}
