import { TRANSACTION_CLASSES, type TransactionClass } from "./link.ts";

/** How many may wait, by class. A stop and a command for every possible unit of a line fit. */
export const QUEUE_MAX: Readonly<Record<TransactionClass, number>> = {
  stop: 512,
  command: 256,
  confirm: 256,
  poll: 512,
  probe: 64,
};

/** An entry without a deadline counts as due this long after it was queued. */
const DUE_AFTER_MS = 1000;
/** A unit may be passed over this often per other waiting unit before it goes first whatever the deadlines. */
const PASSES_PER_UNIT = 2;

/** What the schedule needs to know of a waiting transaction. */
export interface Waiting {
  readonly class: TransactionClass;
  readonly unit: number;
  readonly queuedMs: number;
  /** Last moment for the first byte, monotonic ms. */
  readonly notAfterMs: number | undefined;
  /** Register block of a poll: only one poll of it waits per unit. */
  readonly block: string;
}

export type Queued = "queued" | "full" | "duplicate";

interface Slot<T extends Waiting> {
  readonly entry: T;
  readonly dueMs: number;
  readonly order: number;
}

/** Who speaks next on one line. Pure: it knows no clock and sends nothing. */
export class LineSchedule<T extends Waiting> {
  readonly #queues = new Map<TransactionClass, Slot<T>[]>(TRANSACTION_CLASSES.map((name) => [name, []]));
  readonly #passes = new Map<number, number>();
  #order = 0;

  get size(): number {
    let size = 0;
    for (const queue of this.#queues.values()) size += queue.length;
    return size;
  }

  waiting(name: TransactionClass): number {
    return this.#queue(name).length;
  }

  add(entry: T): Queued {
    const queue = this.#queue(entry.class);
    if (queue.length >= QUEUE_MAX[entry.class]) return "full";
    if (entry.class === "poll" && queue.some((s) => s.entry.unit === entry.unit && s.entry.block === entry.block)) {
      return "duplicate";
    }
    queue.push({ entry, dueMs: entry.notAfterMs ?? entry.queuedMs + DUE_AFTER_MS, order: this.#order++ });
    return "queued";
  }

  /**
   * Takes the next to send: highest class; in it the least `rank` (0 before 1, for units known to be silent), the unit
   * that was passed over too often, the earliest deadline, the longest wait.
   */
  take(eligible: (entry: T) => boolean, rank: (entry: T) => number = () => 0): T | undefined {
    for (const name of TRANSACTION_CLASSES) {
      const queue = this.#queue(name);
      if (queue.length === 0) continue;
      const candidates = queue.filter((slot) => eligible(slot.entry));
      const units = new Set<number>();
      for (const { entry } of candidates) units.add(entry.unit);
      const chosen = this.#choose(name, candidates, units.size, rank);
      if (!chosen) continue;
      queue.splice(queue.indexOf(chosen), 1);
      this.#count(name, chosen.entry.unit, units);
      return chosen.entry;
    }
    return undefined;
  }

  /** What waits in a class, in the order of arrival. */
  list(name: TransactionClass): readonly T[] {
    return this.#queue(name).map((slot) => slot.entry);
  }

  /** Takes out everything of the unit but its stops. */
  withdraw(unit: number): T[] {
    return this.removeWhere((entry) => entry.unit === unit && entry.class !== "stop");
  }

  /** Takes out what may not be sent any more. */
  expire(nowMs: number): T[] {
    return this.removeWhere((entry) => entry.notAfterMs !== undefined && entry.notAfterMs < nowMs);
  }

  removeWhere(matches: (entry: T) => boolean): T[] {
    const removed: T[] = [];
    for (const [name, queue] of this.#queues) {
      if (!queue.some((slot) => matches(slot.entry))) continue;
      removed.push(...queue.filter((slot) => matches(slot.entry)).map((slot) => slot.entry));
      this.#queues.set(
        name,
        queue.filter((slot) => !matches(slot.entry)),
      );
    }
    return removed;
  }

  /** The earliest moment at which a waiting entry expires. */
  nextExpiryMs(): number | undefined {
    let next: number | undefined;
    for (const queue of this.#queues.values()) {
      for (const { entry } of queue) {
        if (entry.notAfterMs !== undefined && (next === undefined || entry.notAfterMs < next)) next = entry.notAfterMs;
      }
    }
    return next;
  }

  /** On the way from an answer to the next request, so each candidate is weighed once. */
  #choose(
    name: TransactionClass,
    candidates: readonly Slot<T>[],
    units: number,
    rank: (entry: T) => number,
  ): Slot<T> | undefined {
    if (candidates.length < 2) return candidates[0];
    let best: Slot<T> | undefined;
    let bestRank = 0;
    let bestOverdue = 0;
    for (const slot of candidates) {
      const slotRank = rank(slot.entry);
      const passes = this.#passes.get(passKey(name, slot.entry.unit)) ?? 0;
      const overdue = passes >= PASSES_PER_UNIT * units ? passes : 0;
      const isBetter =
        !best ||
        (slotRank - bestRank || bestOverdue - overdue || slot.dueMs - best.dueMs || slot.order - best.order) < 0;
      if (!isBetter) continue;
      best = slot;
      bestRank = slotRank;
      bestOverdue = overdue;
    }
    return best;
  }

  #count(name: TransactionClass, chosen: number, units: ReadonlySet<number>): void {
    for (const unit of units) {
      const key = passKey(name, unit);
      if (unit === chosen) this.#passes.delete(key);
      else this.#passes.set(key, (this.#passes.get(key) ?? 0) + 1);
    }
  }

  #queue(name: TransactionClass): Slot<T>[] {
    return this.#queues.get(name) ?? [];
  }
}

/** More than there are units on a line. */
const UNITS_MAX = 256;
const passKey = (name: TransactionClass, unit: number) => TRANSACTION_CLASSES.indexOf(name) * UNITS_MAX + unit;
