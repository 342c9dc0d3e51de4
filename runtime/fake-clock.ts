import type { Clock, Random, Timer } from "./clock.ts";

interface Pending {
  atNs: bigint;
  readonly everyNs: bigint | null;
  readonly order: number;
  readonly fn: () => void;
}

const toNs = (ms: number) => BigInt(Math.round(ms * 1e6));

/** Virtual time: stands still until a test advances it; timers fire in order of time, then of creation. */
export class FakeClock implements Clock {
  #nowNs = 1_000_000_000n;
  #wallOffsetUs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(startWallUs = 1_780_000_000_000_000) {
    this.#wallOffsetUs = startWallUs - Number(this.#nowNs / 1000n);
  }

  monotonicMs = (): number => Number(this.#nowNs) / 1e6;
  monotonicNs = (): bigint => this.#nowNs;
  wallUs = (): number => Number(this.#nowNs / 1000n) + this.#wallOffsetUs;
  after = (ms: number, fn: () => void): Timer => this.#schedule(ms, null, fn);
  every = (ms: number, fn: () => void): Timer => this.#schedule(ms, toNs(Math.max(ms, 0.001)), fn);
  soon = (fn: () => void): void => void this.#schedule(0, null, fn);

  /** Moves the wall clock alone, as NTP or a person would. */
  stepWall(us: number): void {
    this.#wallOffsetUs += us;
  }

  /** Advances by `ms`, firing what falls due; microtasks run between timers. */
  async advance(ms: number): Promise<void> {
    const untilNs = this.#nowNs + toNs(ms);
    await Promise.resolve();
    for (let due = this.#next(untilNs); due; due = this.#next(untilNs)) {
      if (due.atNs > this.#nowNs) this.#nowNs = due.atNs;
      if (due.everyNs === null) this.#pending.delete(due);
      else due.atNs += due.everyNs;
      due.fn();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
    this.#nowNs = untilNs;
  }

  #next(untilNs: bigint): Pending | undefined {
    let first: Pending | undefined;
    for (const p of this.#pending) {
      if (p.atNs > untilNs) continue;
      if (!first || p.atNs < first.atNs || (p.atNs === first.atNs && p.order < first.order)) first = p;
    }
    return first;
  }

  #schedule(ms: number, everyNs: bigint | null, fn: () => void): Timer {
    const pending: Pending = { atNs: this.#nowNs + toNs(Math.max(ms, 0)), everyNs, order: this.#order++, fn };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }
}

/** Repeatable chance from a seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, bytes: (n) => Uint8Array.from({ length: n }, () => Math.floor(next() * 256)) };
}
