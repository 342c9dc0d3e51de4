import type { Clock } from "@servofleet/runtime/clock";
import { systemClock } from "@servofleet/runtime/system-clock";

/** A moment at which something happens. */
export interface Due {
  readonly atNs: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

const NS_PER_MS = 1e6;
const START_NS = 1_000_000_000;
/** 2026-05-28: any wall time does, as long as it is always the same. */
const START_WALL_US = 1_780_000_000_000_000;

/** The one clock of a simulation: time stands still while anything computes, and jumps to the next thing that is due. */
export class SimTime {
  #nowNs = START_NS;
  #wallOffsetUs = START_WALL_US - START_NS / 1000;
  #order = 0;
  readonly #heap: Due[] = [];
  readonly #host: Clock = systemClock();
  fired = 0;

  get nowMs(): number {
    return this.#nowNs / NS_PER_MS;
  }

  get nowNs(): number {
    return this.#nowNs;
  }

  get wallUs(): number {
    return Math.floor(this.#nowNs / 1000) + this.#wallOffsetUs;
  }

  /** Sets the wall clock, as NTP or a person would; nothing else moves. */
  stepWall(us: number): void {
    this.#wallOffsetUs += us;
  }

  schedule(ms: number, fire: () => void): Due {
    const atNs = this.#nowNs + Math.max(0, Math.round(ms * NS_PER_MS));
    const due: Due = { atNs, order: this.#order++, fire, cancelled: false };
    this.#push(due);
    return due;
  }

  /** Lets time pass until `done`, or for `limitMs`. Everything that was started by one moment ends before the next. */
  async run(limitMs: number, done: () => boolean = () => false): Promise<boolean> {
    const untilNs = this.#nowNs + limitMs * NS_PER_MS;
    await this.#settle();
    while (!done()) {
      const due = this.#heap[0];
      if (!due || due.atNs > untilNs) {
        this.#nowNs = untilNs;
        return done();
      }
      this.#pop();
      if (due.cancelled) continue;
      this.#nowNs = due.atNs;
      this.fired++;
      due.fire();
      await this.#settle();
    }
    return true;
  }

  /** The host's loop turns once: no promise is left that could go on by itself. */
  #settle(): Promise<void> {
    return new Promise((resolve) => this.#host.soon(resolve));
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Due;
      if (!sooner(due, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && sooner(heap[child + 1] as Due, heap[child] as Due)) child++;
      if (!sooner(heap[child] as Due, last)) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
  }
}

const sooner = (a: Due, b: Due): boolean => a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);
