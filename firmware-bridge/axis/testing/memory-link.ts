import type { AxisId, LinkId, LinkStats } from "@servofleet/contracts";
import { rfc3339 } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import {
  type Link,
  LinkError,
  type ModbusRequest,
  type TransactionDone,
  type TransactionOptions,
} from "../../link/link.ts";

/** A register map that reacts to writes, as a drive does. Throws a number: the Modbus exception code. */
export interface RegisterMap {
  read(address: number, quantity: number): readonly number[];
  write(address: number, values: readonly number[]): void;
}

/** What becomes of one transaction. `lost-reply`: applied, no answer. `lost-request`: not applied, no answer. */
export type Fate = "answer" | "lost-reply" | "lost-request" | "damaged";

/** One transaction as the drive's side saw it. */
export interface Seen {
  readonly unit: number;
  readonly request: ModbusRequest;
  readonly class: TransactionOptions["class"];
  readonly fate: Fate;
}

interface Queued {
  readonly unit: number;
  readonly request: ModbusRequest;
  readonly options: TransactionOptions;
  readonly resolve: (done: TransactionDone) => void;
  readonly reject: (error: LinkError) => void;
}

const ORDER = ["stop", "command", "confirm", "poll", "probe"] as const;
const hexOf = (request: ModbusRequest): string => {
  const words = request.fn === "read" ? [request.quantity] : request.fn === "write" ? [request.value] : request.values;
  return [request.address, ...words].map((word) => (word & 0xffff).toString(16).padStart(4, "0")).join("");
};

/** A Link in memory over register maps: one transaction at a time, classes by rank, time by the clock it is given. */
export class MemoryLink implements Link {
  readonly id: LinkId;
  up = true;
  downReason: string | null = null;
  fate: (seen: { unit: number; request: ModbusRequest }) => Fate = () => "answer";
  readonly seen: Seen[] = [];
  /** Duration of a transaction, ms; a lost answer takes `timeoutMs`. */
  readonly transactionMs: number;
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #units: ReadonlyMap<number, RegisterMap>;
  readonly #silent = new Map<number, number>();
  readonly #listeners = new Set<(up: boolean, reason: string | null) => void>();
  #queue: Queued[] = [];
  #busy = false;

  constructor(id: string, clock: Clock, units: ReadonlyMap<number, RegisterMap>, transactionMs = 1, timeoutMs = 20) {
    this.id = id as LinkId;
    this.#clock = clock;
    this.#units = units;
    this.transactionMs = transactionMs;
    this.timeoutMs = timeoutMs;
  }

  /** Writes in the order the drive saw them. */
  writes(unit?: number): readonly Seen[] {
    return this.seen.filter((seen) => seen.request.fn !== "read" && (unit === undefined || seen.unit === unit));
  }

  transact(unit: number, request: ModbusRequest, options: TransactionOptions): Promise<TransactionDone> {
    return new Promise((resolve, reject) => {
      if (!this.up) return reject(new LinkError("link-down", {}, "down"));
      const barred = (options.class === "poll" || options.class === "confirm") && this.breaker(unit) === "open";
      if (barred && !this.#probeDue(unit)) return reject(new LinkError("breaker-open", {}, "silent"));
      this.#queue.push({ unit, request, options, resolve, reject });
      this.#next();
    });
  }

  withdraw(unit: number, reason: string): void {
    const gone = this.#queue.filter((job) => job.unit === unit && job.options.class !== "stop");
    this.#queue = this.#queue.filter((job) => !gone.includes(job));
    for (const job of gone) job.reject(new LinkError("withdrawn", { reason }, reason));
  }

  breaker(unit: number): "closed" | "open" | "half-open" {
    return (this.#silent.get(unit) ?? 0) >= 3 ? "open" : "closed";
  }

  setUp(up: boolean, reason: string | null = null): void {
    this.up = up;
    this.downReason = reason;
    if (!up) for (const job of this.#queue.splice(0)) job.reject(new LinkError("link-down", {}, "down"));
    for (const listener of this.#listeners) listener(up, reason);
  }

  price = (): number => this.transactionMs * 1000;
  pollPeriodMs = (_unit: number, wantedMs: number): number => wantedMs;

  onState(listener: (up: boolean, reason: string | null) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stats(): LinkStats {
    const units = [...this.#units.keys()].map((unit) => ({
      unit,
      axis: null as AxisId | null,
      breaker: this.breaker(unit),
      lastReplyAtUs: null,
    }));
    const errors = { timeout: 0, crc: 0, exception: 0, mismatch: 0, late: 0 };
    return {
      link: this.id,
      atUs: this.#clock.wallUs(),
      load: 0,
      transactionsPerS: 0,
      plannedLoad: 0,
      stopBoundMs: 0,
      errors,
      units,
    };
  }

  frames = () => [];
  open(): void {
    this.setUp(true);
  }
  close = async (): Promise<void> => this.setUp(false, "closed");

  // Stands for the line's own probe: every look at a silent unit is let through now and then.
  #probes = 0;
  #probeDue(_unit: number): boolean {
    return this.#probes++ % 3 === 2;
  }

  #next(): void {
    if (this.#busy) return;
    const job = ORDER.flatMap((name) => this.#queue.filter((queued) => queued.options.class === name))[0];
    if (!job) return;
    this.#queue.splice(this.#queue.indexOf(job), 1);
    const reason = job.options.beforeFirstByte?.();
    const late = job.options.notAfterMs !== undefined && this.#clock.monotonicMs() > job.options.notAfterMs;
    if (late || reason !== undefined) {
      job.reject(late ? new LinkError("expired", {}, "late") : new LinkError("withdrawn", { reason }, String(reason)));
      this.#next();
      return;
    }
    this.#busy = true;
    const startedMs = this.#clock.monotonicMs();
    const startedUs = this.#clock.wallUs();
    const { unit, request, options } = job;
    const fate = this.fate({ unit, request });
    this.seen.push({ unit, request, class: options.class, fate });
    const sent = { direction: "tx" as const, at: rfc3339(startedUs), hex: hexOf(request) };
    options.onSent?.({ monotonicMs: startedMs, wallUs: startedUs, frame: sent });
    const ms = fate === "answer" || fate === "damaged" ? this.transactionMs : this.timeoutMs;
    this.#clock.after(ms, () => {
      this.#busy = false;
      this.#finish(job, fate, startedMs, startedUs, sent);
      this.#next();
    });
  }

  #finish(
    job: Queued,
    fate: Fate,
    startedMs: number,
    startedUs: number,
    sent: { direction: "tx"; at: string; hex: string },
  ): void {
    const { unit, request } = job;
    if (fate === "damaged") {
      job.reject(new LinkError("exception", { exceptionCode: 8 }, "damaged", true, [sent]));
      return;
    }
    let registers: readonly number[] = [];
    let exception: number | undefined;
    if (fate !== "lost-request") {
      const map = this.#units.get(unit);
      try {
        if (request.fn === "read") registers = map?.read(request.address, request.quantity) ?? [];
        else if (request.fn === "read-write") {
          map?.write(request.writeAddress, request.values);
          registers = map?.read(request.address, request.quantity) ?? [];
        } else map?.write(request.address, request.fn === "write" ? [request.value] : request.values);
      } catch (error) {
        if (typeof error !== "number") throw error;
        exception = error;
      }
    }
    if (fate !== "answer") {
      this.#silent.set(unit, (this.#silent.get(unit) ?? 0) + 1);
      job.reject(new LinkError("no-reply", { unit }, "no answer", true, [sent]));
      return;
    }
    this.#silent.set(unit, 0);
    if (exception !== undefined) {
      job.reject(new LinkError("exception", { exceptionCode: exception }, "refused", true, [sent]));
      return;
    }
    const endedMs = this.#clock.monotonicMs();
    const middleUs = Math.round((startedUs + this.#clock.wallUs()) / 2);
    const rx = {
      direction: "rx" as const,
      at: rfc3339(this.#clock.wallUs()),
      hex: registers.map((w) => w.toString(16).padStart(4, "0")).join(""),
    };
    job.resolve({ registers, frames: [sent, rx], startedMs, endedMs, middleUs });
  }
}
