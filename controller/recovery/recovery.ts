import {
  type AxisId,
  type AxisStatus,
  boxStream,
  type CommandId,
  type EventData,
  type FleetConfig,
  type SettleRequest,
} from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { BridgeLink } from "../bridge-link/bridge-link.ts";
import type { Logger } from "../controller-parts.ts";
import { isDispatched } from "../domain/axis-state.ts";
import { READS_BEFORE_TRUST } from "../domain/readiness.ts";
import { decideRecovery, type RecoveryDecision, type Settled } from "../domain/recover.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { Journal } from "../inbox/journal.ts";
import type { StopLane } from "../stop/stop-lane.ts";

/** From the bridge's first word: then what could not be read is taken as silent, so that each axis is classified and recorded within 3 s. */
export const RECOVERY_LIMIT_MS = 2500;
/** A log without space is asked again so much later. */
const SETTLE_AGAIN_MS = 500;
/** Without any bridge. */
export const RECOVERY_START_LIMIT_MS = 10_000;

export type ToSettle = Pick<SettleRequest, "commandId" | "targetCounts">;

export interface RecoveryParts {
  readonly config: FleetConfig;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly link: BridgeLink;
  readonly stopLane: StopLane;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Case {
  readonly settle: Map<CommandId, ToSettle>;
  asked: boolean;
}

/**
 * After a start or a change of bridge nothing moves until it was read: each axis twice, each open command settled by
 * reading. What cannot be read within the limit is taken as silent. Only stops and reads leave this room.
 */
export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #cases = new Map<AxisId, Case>();
  /** Motions that go on under observation and are settled when they stand. */
  readonly #watched = new Map<CommandId, AxisId>();
  readonly #findings = new Map<AxisId, EventData<"RecoveryCompleted">["axes"][number]>();
  #limit: Timer | undefined;
  #again: Timer | undefined;
  /** Settled, but the log has not taken it. */
  readonly #unrecorded = new Map<CommandId, AxisId>();
  /** Ended by a bridge that has gone, and not yet on disk. */
  readonly #ending = new Map<CommandId, AxisId>();
  /** The bridge has spoken since the recovery began; what it says again gives nobody more time. */
  #heard = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  get running(): boolean {
    return this.#cases.size > 0;
  }

  /** Whether the axis still waits to be read. */
  holds(axis: AxisId): boolean {
    return this.#cases.has(axis);
  }

  /** Every axis has to be read anew. Commands are settled that were on the wire, or those given (after a start). */
  begin(toSettle: (axis: AxisId) => readonly ToSettle[] = (axis) => this.#onTheWire(axis)): void {
    // A bridge that changes in the middle begins it again: what was found so far still belongs to it.
    if (!this.running) this.#findings.clear();
    this.#watched.clear();
    for (const axis of this.#parts.book.ids) {
      const settle = new Map(toSettle(axis).map((command) => [command.commandId, command]));
      this.#cases.set(axis, { settle, asked: false });
      for (const commandId of this.#endingOf(axis)) this.#ending.set(commandId, axis);
    }
    this.#heard = false;
    this.#giveUpAfter(RECOVERY_START_LIMIT_MS);
  }

  /** The bridge has spoken: from here the short limit runs. */
  bridgeReady(): void {
    if (!this.running || this.#heard) return;
    this.#heard = true;
    this.#giveUpAfter(RECOVERY_LIMIT_MS);
  }

  /** A reading; undefined when it is not a matter of recovery. */
  status(status: AxisStatus): Promise<unknown> | undefined {
    const open = this.#cases.get(status.axis);
    if (!open) {
      if (!status.moving && status.online) this.#askWatched(status.axis);
      return undefined;
    }
    if (!status.online || status.reads < READS_BEFORE_TRUST) return undefined;
    if (open.settle.size === 0) return this.#decide(status.axis, status);
    if (!open.asked) {
      open.asked = true;
      for (const { commandId, targetCounts } of open.settle.values()) {
        this.#parts.link.settle({ axis: status.axis, commandId, targetCounts });
      }
    }
    return undefined;
  }

  settled(found: Settled): Promise<unknown> {
    return this.#decide(found.axis, found);
  }

  /** The log has answered: commands whose end it refused are open again, and their bridge cannot tell it once more. */
  askRefused(): void {
    for (const [commandId, axis] of this.#ending) {
      if (this.#parts.book.current(axis).open.has(commandId)) this.#settleAgain(axis, commandId);
    }
    this.#ending.clear();
  }

  close(): void {
    this.#limit?.cancel();
    this.#again?.cancel();
  }

  /** On the wire as far as the disk knows. What was only accepted is not for reading: its dispatcher still has it. */
  #endingOf(axis: AxisId): readonly CommandId[] {
    const { book } = this.#parts;
    const { open } = book.current(axis);
    const sent = [...book.committed(axis).open.values()].filter(isDispatched);
    return sent.flatMap(({ commandId }) => (open.has(commandId) ? [] : [commandId]));
  }

  #onTheWire(axis: AxisId): readonly ToSettle[] {
    const { open } = this.#parts.book.current(axis);
    return [...open.values()].filter(isDispatched).map(({ commandId, targetCounts }) => ({ commandId, targetCounts }));
  }

  #decide(axis: AxisId, found: Settled | AxisStatus): Promise<unknown> {
    const { book, journal, stopLane } = this.#parts;
    const decision = decideRecovery(book.current(axis), found);
    const recorded = journal.record([{ axis, events: decision.events }]);
    // Foreign motion that was just recorded as such has raised its own stop.
    if (decision.stop && !decision.events.some(({ event }) => event.type === "UnexpectedMotionSeen")) {
      const reason = "type" in found ? "restart-recovery" : "unexpected-motion";
      stopLane.raise({ name: "axis", axes: [axis] }, reason, "controller");
    }
    this.#conclude(axis, found, decision);
    if ("type" in found) recorded.catch(() => this.#settleAgain(axis, found.commandId));
    return recorded;
  }

  /**
   * What the log has not taken is open again: asked once more, a little later. A bridge repeats its own report, but nobody
   * repeats what this room gave up on by itself. Whoever comes first ends it.
   */
  #settleAgain(axis: AxisId, commandId: CommandId): void {
    this.#unrecorded.set(commandId, axis);
    this.#again ??= this.#parts.clock.after(SETTLE_AGAIN_MS, () => this.#askUnrecorded(), true);
  }

  #askUnrecorded(): void {
    this.#again = undefined;
    const { book, link } = this.#parts;
    for (const [commandId, axis] of this.#unrecorded) {
      const command = book.current(axis).open.get(commandId);
      if (!command || !isDispatched(command)) continue;
      const open = this.#cases.get(axis) ?? { settle: new Map(), asked: false };
      open.settle.set(commandId, { commandId, targetCounts: command.targetCounts });
      open.asked = false;
      this.#cases.set(axis, open);
    }
    this.#unrecorded.clear();
    if (!this.running) return;
    this.#giveUpAfter(RECOVERY_LIMIT_MS);
    link.describe();
  }

  #conclude(axis: AxisId, found: Settled | AxisStatus, decision: RecoveryDecision): void {
    if ("type" in found) {
      if (decision.watch) this.#watched.set(found.commandId, axis);
      else this.#watched.delete(found.commandId);
    }
    const open = this.#cases.get(axis);
    if (!open) return;
    this.#findings.set(axis, { axis, finding: decision.finding, action: decision.action });
    if ("type" in found) open.settle.delete(found.commandId);
    if (open.settle.size > 0) return;
    this.#cases.delete(axis);
    if (!this.running) this.#complete();
  }

  #askWatched(axis: AxisId): void {
    for (const [commandId, of] of this.#watched) {
      const command = this.#parts.book.current(axis).open.get(commandId);
      if (of !== axis) continue;
      if (command) this.#parts.link.settle({ axis, commandId, targetCounts: command.targetCounts });
      else this.#watched.delete(commandId);
    }
  }

  #giveUpAfter(ms: number): void {
    this.#limit?.cancel();
    this.#limit = this.#parts.clock.after(ms, () => this.#giveUp(), true);
  }

  /** What has not been read by now is silent; it is read when it comes back. */
  #giveUp(): void {
    const { book, logger } = this.#parts;
    for (const [axis, { settle }] of [...this.#cases]) {
      const status = book.reading(axis) ?? unread(axis, this.#parts.clock.wallUs());
      const found: readonly (Settled | AxisStatus)[] =
        settle.size === 0
          ? [status]
          : [...settle.keys()].map((commandId) => ({
              type: "settled",
              commandId,
              axis,
              atUs: status.atUs,
              finding: "silent",
              status,
              frames: [],
            }));
      for (const one of found) {
        this.#decide(axis, one).catch((error: unknown) =>
          logger.error({ error, axis }, "a recovery decision could not be recorded"),
        );
      }
    }
  }

  #complete(): void {
    this.#limit?.cancel();
    const { config, journal, logger } = this.#parts;
    const axes = [...this.#findings.values()];
    journal
      .record([{ stream: boxStream(config.box), events: [{ type: "RecoveryCompleted", data: { axes } }] }])
      .catch((error: unknown) => logger.error({ error }, "the end of the recovery could not be recorded"));
    logger.info({ axes }, "every axis has been read or given up: ready");
  }
}

const unread = (axis: AxisId, atUs: number): AxisStatus => ({
  axis,
  online: false,
  offlineReason: "never read",
  reads: 0,
  enabled: false,
  moving: false,
  homed: false,
  fault: null,
  positionCounts: null,
  velocityCountsPerS: null,
  stopGeneration: 0,
  stopPending: false,
  atUs,
});
