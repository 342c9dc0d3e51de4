import { type AxisId, type Report, rfc3339, type StopOrder, type StopReason } from "@servofleet/contracts";
import type { Clock, Random, Timer } from "@servofleet/runtime/clock";
import { uuidV7 } from "@servofleet/runtime/random-id";
import type { BridgeLink } from "../bridge-link/bridge-link.ts";
import type { Logger } from "../controller-parts.ts";
import { nextStopGeneration } from "../domain/decide-stop.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { AxisStop, Journal } from "../inbox/journal.ts";
import { StopCall, type StopOutcome } from "./stop-call.ts";
import type { StopScope } from "./stop-scope.ts";

/** Stop calls somebody waits for at once; the oldest loses its waiter's detail, never its stop. */
const CALLS_MAX = 1024;
/** A bridge answers a stop with its first byte, or says that it waits; one that has said nothing for so long is told again. */
const TELL_AGAIN_MS = 200;

export interface StopLaneParts {
  readonly link: BridgeLink;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A stop that is on its way: `outcome` may be waited for, or not. */
export interface RaisedCall {
  readonly stopId: string;
  readonly outcome: () => Promise<StopOutcome>;
}

/**
 * Stops, past everything: no queue, no lease, no log. `raise` has told the bridge when it returns; the record follows.
 * A stop that no drive has acknowledged is told to every bridge that appears, before anything else.
 */
export class StopLane {
  readonly #parts: StopLaneParts;
  readonly #unacknowledged = new Map<AxisId, Omit<StopOrder, "epoch">>();
  /** Of those, told to the bridge of now and not answered by it in any way. */
  readonly #unheard = new Set<AxisId>();
  readonly #calls = new Set<StopCall>();
  #retell: Timer | undefined;

  constructor(parts: StopLaneParts) {
    this.#parts = parts;
  }

  /** The wire first: no await stands before the bridge has been told. */
  raise(scope: StopScope, reason: StopReason, principal: string): RaisedCall {
    const { link, book, clock, random } = this.#parts;
    const stopId = uuidV7(clock, random);
    const generations = new Map<AxisId, number>();
    for (const axis of scope.axes) {
      const stopGeneration = nextStopGeneration(book.current(axis));
      const order = { stopId, axis, stopGeneration, reason };
      link.stopOrder(order);
      this.#unacknowledged.set(axis, order);
      this.#unheard.add(axis);
      generations.set(axis, stopGeneration);
    }
    this.#tellUntilHeard();
    const call = this.#open(new StopCall(stopId, generations));
    const recorded = this.#record(generations, stopId, scope.name, reason, principal);
    const outcome = call.outcome(recorded, clock, link.alive).finally(() => this.#calls.delete(call));
    return { stopId, outcome: () => outcome };
  }

  /** Stops that the log knows without an acknowledgement: of a former life, or of a bridge that went before a full disk took it. */
  resume(): void {
    for (const axis of this.#parts.book.ids) {
      const { stopLatched, stops } = this.#parts.book.current(axis);
      const newest = stops.at(-1);
      if (!stopLatched || !newest || newest.result === "acknowledged" || this.#unacknowledged.has(axis)) continue;
      const { stopId, stopGeneration } = newest;
      this.#unacknowledged.set(axis, { stopId, axis, stopGeneration, reason: "restart-recovery" });
    }
  }

  /** A bridge has appeared: what was not acknowledged is the first thing it hears. */
  tellAgain(): void {
    this.resume();
    for (const order of this.#unacknowledged.values()) {
      this.#parts.link.stopOrder(order);
      this.#unheard.add(order.axis);
    }
    this.#tellUntilHeard();
  }

  close(): void {
    this.#retell?.cancel();
  }

  heard(report: Extract<Report, { type: "stop-result" }>): void {
    const open = this.#unacknowledged.get(report.axis);
    if (!open || report.stopGeneration >= open.stopGeneration) this.#unheard.delete(report.axis);
    if (open && report.result === "acknowledged" && report.stopGeneration >= open.stopGeneration) {
      this.#unacknowledged.delete(report.axis);
    }
    for (const call of this.#calls) call.heard(report);
  }

  /** A message may be lost between two ends that both live (a broken connection to the message server): beats do not show it. */
  #tellUntilHeard(): void {
    if (this.#unheard.size === 0) return;
    const { link, clock } = this.#parts;
    this.#retell ??= clock.after(
      TELL_AGAIN_MS,
      () => {
        this.#retell = undefined;
        for (const axis of link.alive ? this.#unheard : []) {
          const order = this.#unacknowledged.get(axis);
          if (order) link.stopOrder(order);
        }
        this.#tellUntilHeard();
      },
      true,
    );
  }

  #open(call: StopCall): StopCall {
    this.#calls.add(call);
    if (this.#calls.size > CALLS_MAX) {
      for (const oldest of this.#calls) {
        this.#calls.delete(oldest);
        break;
      }
    }
    return call;
  }

  #record(
    generations: ReadonlyMap<AxisId, number>,
    stopId: string,
    scope: string,
    reason: StopReason,
    principal: string,
  ): Promise<boolean> {
    const at = rfc3339(this.#parts.clock.wallUs());
    const stops: AxisStop[] = [...generations].map(([axis, stopGeneration]) => ({
      axis,
      stop: { stopId, scope, reason, principal, at, stopGeneration },
    }));
    return this.#parts.journal.recordStops(stops).then(
      () => true,
      (error: unknown) => {
        this.#parts.logger.error({ error, stopId, scope }, "a stop is in force but could not be recorded yet");
        return false;
      },
    );
  }
}
