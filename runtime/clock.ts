/** A running timer; cancelling twice is harmless. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as a parameter. Time-outs, leases and deadlines run on the monotonic clock; the wall clock is data.
 * The monotonic clock is the system's (CLOCK_MONOTONIC), so its values compare between processes of one host.
 */
export interface Clock {
  /** Monotonic milliseconds with fraction. */
  monotonicMs(): number;
  /** Monotonic nanoseconds. */
  monotonicNs(): bigint;
  /** UTC microseconds since 1970. */
  wallUs(): number;
  /** Calls `fn` once after at least `ms`. The timer keeps the process alive unless `background`. */
  after(ms: number, fn: () => void, background?: boolean): Timer;
  /** Calls `fn` every `ms` until cancelled. Never keeps the process alive. */
  every(ms: number, fn: () => void): Timer;
  /** Calls `fn` in the next turn of the loop, after pending I/O. */
  soon(fn: () => void): void;
}

/** Chance as a parameter. */
export interface Random {
  /** 0 <= x < 1. */
  next(): number;
  /** `n` random bytes. */
  bytes(n: number): Uint8Array;
}

/** Waits at least `ms`, or rejects with the signal's reason. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
