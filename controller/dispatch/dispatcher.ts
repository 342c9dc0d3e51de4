import type { AxisId, Command, CommandId, Order, OrderAction, OrderRefusal, ProblemFacts } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { uuidV7 } from "@servofleet/runtime/random-id";
import type { LeaseBook } from "../authority/lease-book.ts";
import type { BridgeLink, Dispatch } from "../bridge-link/bridge-link.ts";
import type { Logger } from "../controller-parts.ts";
import type { AxisEvent } from "../domain/axis-event.ts";
import { type Axis, isDispatched } from "../domain/axis-state.ts";
import { isRefusal } from "../domain/decide.ts";
import { decideReport } from "../domain/decide-report.ts";
import { dispatchEvents, failDispatch, orderAction } from "../domain/dispatch.ts";
import { foldEvents } from "../domain/state-change.ts";
import { expire } from "../domain/withdraw.ts";
import { LogError } from "../event-log/event-log.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { Journal } from "../inbox/journal.ts";

/** Pause before an order is tried again whose write-ahead the log refused. Nothing of it was sent. */
const LOG_RETRY_MS = 500;

export interface DispatcherParts {
  readonly link: BridgeLink;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly leases: LeaseBook;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How long after its time to start an order may be without any word of the bridge; then reading settles it. */
const ANSWER_LIMIT_MS = 1000;

/** An order that was written ahead and then did not leave. */
interface KeptBack {
  readonly orderId: string;
  readonly reason: Extract<OrderRefusal, "expired" | "stale-generation" | "stale-lease" | "link-down">;
}

/** What an order takes along from its decision. */
export type DispatchTerms = Pick<Order, "leaseSequence" | "hold">;

/** An order whose `DispatchStarted` is written ahead, and the bridge that it was meant for. */
interface AheadOrder {
  readonly order: Dispatch;
  readonly bridgeBoot: string | null;
}

interface Ticket {
  readonly axis: AxisId;
  readonly commandId: CommandId;
  /** Monotonic, ms: last moment for the first byte. */
  readonly deadlineMs: number;
  readonly terms: DispatchTerms;
  ahead?: AheadOrder;
  kept?: KeptBack;
}

/** A dispatch that is decided together with its acceptance, so that one fsync serves both. */
export interface JointDispatch {
  /** To be appended with the acceptance, behind it. */
  readonly events: readonly AxisEvent[];
  /** Both are on disk: the order may leave. */
  recorded(): void;
  /** Neither is. */
  refused(): void;
}

/**
 * Brings accepted commands to the bridge, one lane per axis in the order of acceptance. Write-ahead: `DispatchStarted`
 * is on disk before the order leaves. What was superseded, stopped or cancelled while it waited is never sent.
 */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #lanes = new Map<AxisId, Ticket[]>();
  #waiting = 0;
  #closed = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Commands that have not been looked at yet. */
  get waiting(): number {
    return this.#waiting;
  }

  close(): void {
    this.#closed = true;
  }

  enqueue({ axis, commandId }: Command, deadlineMs: number, terms: DispatchTerms): void {
    this.#push({ axis, commandId, deadlineMs, terms });
  }

  #push(ticket: Ticket): void {
    this.#waiting += 1;
    const lane = this.#lanes.get(ticket.axis);
    if (lane) {
      lane.push(ticket);
      return;
    }
    const fresh = [ticket];
    this.#lanes.set(ticket.axis, fresh);
    void this.#run(ticket.axis, fresh);
  }

  /**
   * The dispatch of a command that is being accepted, where nothing of its axis is on its way and nothing speaks against it;
   * else null, and `enqueue` has it once it is accepted. The lane is taken until the caller tells how the append went.
   */
  join(
    { axis: id, commandId }: Command,
    accepted: readonly AxisEvent[],
    deadlineMs: number,
    terms: DispatchTerms,
  ): JointDispatch | null {
    const { book, clock, link } = this.#parts;
    if (this.#closed || this.#lanes.has(id) || !link.alive || clock.monotonicMs() > deadlineMs) return null;
    const axis = foldEvents(book.current(id), accepted);
    // What needs nothing from the drive has ended with its acceptance.
    if (!axis.open.has(commandId)) return null;
    const action = orderAction(axis, commandId);
    if (isRefusal(action)) return null;
    const ahead = this.#orderOf(axis, commandId, action, terms);
    const lane: Ticket[] = [];
    this.#lanes.set(id, lane);
    return {
      events: dispatchEvents(axis, commandId, ahead.order.orderId),
      recorded: () => {
        this.#waiting += 1;
        lane.unshift({ axis: id, commandId, deadlineMs, terms, ahead });
        void this.#run(id, lane);
      },
      refused: () => void this.#run(id, lane),
    };
  }

  async #run(axis: AxisId, lane: Ticket[]): Promise<void> {
    for (let ticket = lane.shift(); ticket; ticket = lane.shift()) {
      this.#waiting -= 1;
      await this.#bring(ticket);
    }
    this.#lanes.delete(axis);
  }

  /** Until it is sent or ended. A log without space holds it until its time to start is over. */
  async #bring(ticket: Ticket): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#dispatch(ticket);
        return;
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        const { clock, logger } = this.#parts;
        logger.warn({ commandId: ticket.commandId, code: error.code }, "not sent: the log could not write ahead");
        if (error.code === "log-poisoned" || error.code === "log-closed") return;
        await new Promise<void>((resolve) => clock.after(LOG_RETRY_MS, resolve, true));
      }
    }
  }

  async #dispatch(ticket: Ticket): Promise<void> {
    if (ticket.kept) return this.#notSent(ticket, ticket.kept);
    if (!ticket.ahead) {
      const { book, journal, clock, link } = this.#parts;
      const { commandId, deadlineMs } = ticket;
      const axis = book.current(ticket.axis);
      const command = axis.open.get(commandId);
      if (!command) return this.#comeBack(ticket);
      if (isDispatched(command)) return;
      const record = (events: readonly AxisEvent[]) => journal.record([{ axis: axis.id, events }]);
      if (clock.monotonicMs() > deadlineMs) return void (await record(expire(axis, commandId)));
      if (!link.alive) return void (await record(failDispatch(axis, commandId, NO_BRIDGE)));
      const action = orderAction(axis, commandId);
      if (isRefusal(action)) return void (await record(failDispatch(axis, commandId, action.problem)));
      const ahead = this.#orderOf(axis, commandId, action, ticket.terms);
      await record(dispatchEvents(axis, commandId, ahead.order.orderId));
      ticket.ahead = ahead;
    }
    await this.#send(ticket, ticket.ahead);
  }

  /** Ended, but perhaps by what is not on disk yet: should the log refuse that, the command is open again and still waits. */
  #comeBack(ticket: Ticket): void {
    const { book, journal } = this.#parts;
    const { axis, commandId } = ticket;
    if (!book.committed(axis).open.has(commandId)) return;
    void journal.settled().then(() => {
      const command = book.current(axis).open.get(commandId);
      if (!this.#closed && command && !isDispatched(command)) this.#push(ticket);
    });
  }

  #orderOf(axis: Axis, commandId: CommandId, action: OrderAction, terms: DispatchTerms): AheadOrder {
    const { clock, random, link } = this.#parts;
    const orderId = uuidV7(clock, random);
    const order = { orderId, commandId, axis: axis.id, stopGeneration: axis.stopGeneration, action, ...terms };
    return { order, bridgeBoot: link.boot };
  }

  async #send(ticket: Ticket, ahead: AheadOrder): Promise<void> {
    const { clock, link } = this.#parts;
    const { order } = ahead;
    const late = this.#tooLate(ticket, ahead);
    if (!late && link.order(order, ticket.deadlineMs - clock.monotonicMs()))
      return this.#expectAnswer(ticket, order.orderId);
    ticket.kept = { orderId: order.orderId, reason: late ?? "link-down" };
    await this.#notSent(ticket, ticket.kept);
  }

  /**
   * An order may be lost between two ends that both live (a broken connection to the message server). Past its time to start
   * no byte of it leaves any more, so that its outcome may be read; it is never sent again.
   */
  #expectAnswer({ axis, commandId, deadlineMs }: Ticket, orderId: string): void {
    const { book, clock, link } = this.#parts;
    const lookAfter = (ms: number): void => {
      clock.after(ms, () => look(), true);
    };
    const look = (): void => {
      const command = book.current(axis).open.get(commandId);
      if (this.#closed || command?.orderId !== orderId || command.phase !== "dispatched" || command.sent) return;
      if (link.alive) link.settle({ axis, commandId, targetCounts: command.targetCounts });
      lookAfter(ANSWER_LIMIT_MS);
    };
    lookAfter(Math.max(0, deadlineMs - clock.monotonicMs()) + ANSWER_LIMIT_MS);
  }

  /** What may have happened while the write-ahead was on its way to the disk. */
  #tooLate({ axis, deadlineMs, terms }: Ticket, { order, bridgeBoot }: AheadOrder): KeptBack["reason"] | null {
    if (this.#parts.book.current(axis).stopGeneration !== order.stopGeneration) return "stale-generation";
    if (this.#parts.leases.sequence(axis) !== terms.leaseSequence) return "stale-lease";
    // A successor has read nothing yet, and settles what was dispatched: an order would arrive behind its end.
    if (this.#parts.link.boot !== bridgeBoot) return "link-down";
    return this.#parts.clock.monotonicMs() > deadlineMs ? "expired" : null;
  }

  /** The order never left: the controller refuses it in the bridge's place. */
  async #notSent({ axis, commandId }: Ticket, { orderId, reason }: KeptBack): Promise<void> {
    const report = { type: "order-refused", orderId, commandId, axis, reason, problem: KEPT_BACK[reason] } as const;
    const { book, journal } = this.#parts;
    await journal.record([{ axis, events: decideReport(report, book.current(axis)) }]);
  }
}

const NO_BRIDGE: ProblemFacts = {
  slug: "service-unavailable",
  detail: "the firmware bridge is not there; nothing was sent",
  remedy: "it is started again by itself; look at the axis and ask again",
};

/** Why an order whose dispatch is recorded did not leave, in words for a person. */
const KEPT_BACK: Readonly<Record<KeptBack["reason"], ProblemFacts>> = {
  expired: {
    slug: "service-unavailable",
    detail: "its time to start was over before the order left; nothing was sent",
    remedy: "look at the axis and ask again, with a longer ttlMs if that fits",
  },
  "stale-generation": {
    slug: "stop-latched",
    detail: "a stop came before the order left; nothing was sent",
    remedy: "find out why it was stopped, then send Reset once the axis stands",
  },
  "stale-lease": {
    slug: "axis-leased",
    detail: "control over the axis changed hands before the order left; nothing was sent",
    remedy: "GET /v1/leases shows who controls it now",
  },
  "link-down": NO_BRIDGE,
};
