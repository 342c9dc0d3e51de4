import type { AxisId, LinkStats } from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";

/** An order that is ready to start waits at most so long for others that came while it was made ready, ms. */
export const GATHER_MAX_MS = 20;

type GroupStart = NonNullable<LinkStats["groupStart"]>;

/** One order's place among those that start together. */
export interface StartTicket {
  /** The starting write is next: resolves at once when nobody else is being made ready, after GATHER_MAX_MS at the latest. */
  ready(): Promise<void>;
  /** First byte of the starting write, wall time, microseconds. */
  sent(atUs: number): void;
  /** A reading has shown the axis in motion, wall time, microseconds. */
  moved(atUs: number): void;
  /** The order has been sent or has ended: nobody waits for it any more. Idempotent. */
  left(): void;
}

interface Round {
  readonly preparing: Set<StartTicket>;
  readonly waiting: (() => void)[];
  readonly axes: AxisId[];
  readonly sentUs: number[];
  readonly movedUs: number[];
  timer: Timer | undefined;
}

/**
 * The axes of one line whose drives can be started by one frame. Orders that arrive while an earlier one is still being
 * made ready form a round with it and come to the line in the same moment, where the joiner puts their starts into one
 * frame. An order alone never waits.
 */
export class StartGate {
  readonly #clock: Clock;
  #open: Round | undefined;
  #last: Round | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An order that starts the axis has arrived and is made ready from now on. */
  enter(axis: AxisId): StartTicket {
    this.#open ??= { preparing: new Set(), waiting: [], axes: [], sentUs: [], movedUs: [], timer: undefined };
    const round = this.#open;
    const ticket: StartTicket = {
      ready: () => this.#ready(round, ticket),
      sent: (atUs) => this.#sent(round, axis, atUs),
      moved: (atUs) => void round.movedUs.push(atUs),
      left: () => {
        if (round.preparing.delete(ticket)) this.#look(round);
      },
    };
    round.preparing.add(ticket);
    return ticket;
  }

  /** The last start of several axes at once, as it was measured; null before the first. */
  get last(): GroupStart | null {
    const round = this.#last;
    if (!round) return null;
    const { axes, sentUs, movedUs } = round;
    const isSeen = movedUs.length === axes.length;
    return { axes: [...axes], sentSkewMs: spread(sentUs) / 1000, seenSkewMs: isSeen ? spread(movedUs) / 1000 : null };
  }

  #ready(round: Round, ticket: StartTicket): Promise<void> {
    round.preparing.delete(ticket);
    return new Promise((resolve) => {
      round.waiting.push(resolve);
      round.timer ??= this.#clock.after(GATHER_MAX_MS, () => this.#release(round));
      this.#look(round);
    });
  }

  #look(round: Round): void {
    if (round.preparing.size === 0) this.#release(round);
  }

  #release(round: Round): void {
    if (this.#open === round) this.#open = undefined;
    round.timer?.cancel();
    for (const resolve of round.waiting.splice(0)) resolve();
  }

  #sent(round: Round, axis: AxisId, atUs: number): void {
    round.axes.push(axis);
    round.sentUs.push(atUs);
    if (round.axes.length > 1) this.#last = round;
  }
}

const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
