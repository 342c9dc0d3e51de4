import { randomBytes } from "node:crypto";
import type { Clock, Random } from "./clock.ts";

/** The real clock. Wall time has microsecond digits: the clock is read once and carried forward, and re-read once a second. */
export function systemClock(): Clock {
  const RESYNC_NS = 1_000_000_000n;
  let anchorNs = process.hrtime.bigint();
  let anchorUs = Date.now() * 1000;
  return {
    monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
    monotonicNs: () => process.hrtime.bigint(),
    wallUs() {
      const now = process.hrtime.bigint();
      const carried = anchorUs + Number((now - anchorNs) / 1000n);
      if (now - anchorNs < RESYNC_NS) return carried;
      const read = Date.now() * 1000;
      anchorNs = now;
      // Within a millisecond the carried value is the finer one; beyond it the wall clock was stepped or slewed.
      anchorUs = Math.abs(read - carried) <= 1000 ? carried : read;
      return anchorUs;
    },
    after(ms, fn, background = false) {
      const timer = setTimeout(fn, ms);
      if (background) timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
    every(ms, fn) {
      const timer = setInterval(fn, ms);
      timer.unref();
      return { cancel: () => clearInterval(timer) };
    },
    soon: (fn) => void setImmediate(fn),
  };
}

/** Bytes drawn from the system at once: a call per id would cost more than the id. */
const POOL_BYTES = 4096;

/** Real chance (ids, jitter), from the system's generator in pools. */
export function systemRandom(): Random {
  let pool = Buffer.alloc(0);
  let used = 0;
  const bytes = (n: number): Uint8Array => {
    if (n > POOL_BYTES) return randomBytes(n);
    if (used + n > pool.length) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    used += n;
    return pool.subarray(used - n, used);
  };
  return { bytes, next: () => Buffer.from(bytes(4)).readUInt32LE(0) / 2 ** 32 };
}
