import type { LinkConfig, LinkId, LinkStats } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { Clock } from "@servofleet/runtime/clock";
import { assertRequest } from "../modbus/expected-reply.ts";
import { ModbusCodec } from "../modbus/modbus-codec.ts";
import { type LineCost, transactionMicros } from "./bus-cost.ts";
import { FrameRing, type LineFrame } from "./frame-ring.ts";
import { JobJoiner } from "./join-jobs.ts";
import { lineFigures } from "./line-figures.ts";
import { failJob, type Job, newJob } from "./line-job.ts";
import { type Lane, LineLanes } from "./line-lanes.ts";
import type { LineParts } from "./line-parts.ts";
import { LineSchedule } from "./line-schedule.ts";
import { LineTally } from "./line-tally.ts";
import {
  type Link,
  type LinkErrorCode,
  type ModbusRequest,
  NOT_OPENED_YET,
  type TransactionDone,
  type TransactionOptions,
} from "./link.ts";
import { newLane } from "./new-lane.ts";
import { nextJob } from "./next-job.ts";
import { PollPace, type PollStretch } from "./poll-pace.ts";
import { ReconnectingWire } from "./reconnecting-wire.ts";
import { mayJoin, UnitBook } from "./unit-book.ts";
import { breakerState, learnedTurnaroundUs } from "./unit-health.ts";
import { waitUntil } from "./wait-until.ts";
import type { WireSession } from "./wire.ts";

/** Noise that never ends must not keep a stop back: after this share of the reply wait the line is used anyway. */
const BABBLE_WAIT_SHARE = 1;

/** A Modbus line: keeps the queue, waits for silence, hands one job at a time to its turn on the wire. */
export class Line implements Link {
  readonly id: LinkId;
  readonly #config: LinkConfig;
  readonly #parts: LineParts;
  readonly #clock: Clock;
  readonly #cost: LineCost;
  readonly #schedule = new LineSchedule<Job>();
  readonly #book: UnitBook;
  readonly #ring = new FrameRing();
  readonly #tally: LineTally;
  readonly #pace: PollPace;
  readonly #lanes: LineLanes;
  readonly #joiner: JobJoiner | undefined;
  readonly #wire: ReconnectingWire;
  readonly #listeners = new Set<(up: boolean, reason: string | null) => void>();
  #session: WireSession | undefined;
  #downReason: string | null = NOT_OPENED_YET;
  #announced: boolean | undefined;
  #closed = false;
  #pumping = false;
  #cancelWait: () => void = () => undefined;
  /** Since when something wants to be sent and the line is not silent. */
  #wantedMs: number | undefined;

  constructor(config: LinkConfig, cost: LineCost, parts: LineParts) {
    const { clock, random, units } = parts;
    this.id = config.id;
    this.#config = config;
    this.#parts = parts;
    this.#clock = clock;
    this.#cost = cost;
    this.#book = new UnitBook(units);
    this.#tally = new LineTally(clock);
    this.#pace = new PollPace(clock, (stretch, pollShare) => this.#tellPace(stretch, pollShare));
    const shared = {
      clock,
      random,
      cost,
      ring: this.#ring,
      tally: this.#tally,
      pace: this.#pace,
      book: this.#book,
      guarded: !parts.repliesHaveIds,
      diesUnseen: parts.diesUnseen ?? parts.repliesHaveIds,
      broadcastUnit: parts.broadcastUnit,
      again: (job: Job) => this.#queue(job),
      opened: (unit: number) => this.#refuseWaiting(unit),
      restart: (reason: string) => this.#wire.restart(reason),
      finished: () => this.#pump(),
    };
    const framers = parts.lanes?.framers ?? [parts.framer];
    const { together, broadcastUnit } = parts;
    if (together && broadcastUnit !== undefined) {
      const isWell = (unit: number) => mayJoin(this.#book.page(unit), clock.monotonicMs());
      const { again } = shared;
      const nowMs = () => clock.monotonicMs();
      this.#joiner = new JobJoiner({ together, cost, broadcastUnit, isWell, again, nowMs });
    }
    const lanes = framers.map((framer) => newLane({ ...shared, framer, codec: parts.codec ?? new ModbusCodec() }));
    this.#lanes = new LineLanes(lanes, parts.lanes);
    this.#wire = new ReconnectingWire(parts.wire, clock, random, {
      onUp: (session) => this.#wentUp(session),
      onBytes: (bytes) => this.#lanes.bytes(bytes),
      onDown: (reason) => this.#wentDown(reason),
    });
  }

  get up(): boolean {
    return this.#session !== undefined;
  }

  get downReason(): string | null {
    return this.#downReason;
  }

  open(): void {
    this.#wire.start();
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#lanes.lost("link closed");
      this.#failAll("closed", "link closed");
    }
    await this.#wire.stop();
  }

  transact(unit: number, request: ModbusRequest, options: TransactionOptions): Promise<TransactionDone> {
    assertRequest(unit, request);
    assert(
      unit !== this.#parts.broadcastUnit || !("quantity" in request),
      "nobody answers a broadcast: it cannot read",
    );
    return new Promise((resolve, reject) => {
      const job = newJob(unit, request, options, this.#clock.monotonicMs(), { resolve, reject });
      if (this.#closed) {
        failJob(job, "closed", {});
        return;
      }
      if (!this.#session) {
        failJob(job, "link-down", { reason: this.#downReason });
        return;
      }
      if (this.#isBarred(job)) {
        failJob(job, "breaker-open", {});
        return;
      }
      this.#queue(job);
      this.#pump();
    });
  }

  withdraw(unit: number, reason: string): void {
    for (const job of this.#schedule.withdraw(unit)) failJob(job, "withdrawn", { reason });
  }

  breaker(unit: number): "closed" | "open" | "half-open" {
    return breakerState(this.#book.page(unit).health, this.#clock.monotonicMs());
  }

  price(unit: number, request: ModbusRequest): number {
    return transactionMicros(request, this.#cost, learnedTurnaroundUs(this.#book.page(unit).health));
  }

  pollPeriodMs(unit: number, wantedMs: number, isFast: boolean): number {
    return this.#pace.periodMs(unit, wantedMs, isFast);
  }

  onState(listener: (up: boolean, reason: string | null) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stats(): LinkStats {
    this.#lanes.collect();
    return lineFigures({
      link: this.#config.id,
      atUs: this.#clock.wallUs(),
      nowMs: this.#clock.monotonicMs(),
      cost: this.#cost,
      tally: this.#tally,
      plan: this.#parts,
      pages: this.#book.pages().filter((page) => page.unit !== this.#parts.broadcastUnit),
      axes: this.#parts.units.length,
      pollStretch: this.#pace.stretch,
    });
  }

  frames(): readonly LineFrame[] {
    this.#lanes.collect();
    return this.#ring.frames();
  }

  #tellPace(stretch: PollStretch, pollShare: number): void {
    const facts = { link: this.id, pollShare, idleStretch: stretch.idle, movingStretch: stretch.moving };
    if (stretch.idle > 1 || stretch.moving > 1) this.#parts.log.warn(facts, "the line is full: polls are stretched");
    else this.#parts.log.info(facts, "polls run as configured again");
  }

  #queue(job: Job): void {
    const queued = this.#schedule.add(job);
    if (queued !== "queued") failJob(job, "queue-full", { class: job.class, cause: queued });
  }

  /** Polls and confirmations wait until a silent unit has answered a probe; stops and commands are tried. */
  #isBarred(job: Job): boolean {
    return (job.class === "poll" || job.class === "confirm") && this.#book.page(job.unit).health.openings > 0;
  }

  #refuseWaiting(unit: number): void {
    for (const job of this.#schedule.removeWhere((waiting) => waiting.unit === unit && this.#isBarred(waiting))) {
      failJob(job, "breaker-open", {});
    }
  }

  #wentUp(session: WireSession): void {
    this.#session = session;
    this.#downReason = null;
    this.#lanes.first.exchange.lastByteMs = this.#clock.monotonicMs();
    this.#book.reconnected();
    this.#announce();
    this.#pump();
  }

  #wentDown(reason: string): void {
    this.#session = undefined;
    this.#downReason = reason;
    this.#cancelWait();
    this.#lanes.lost(reason);
    this.#failAll("link-down", reason);
    this.#announce();
  }

  #announce(): void {
    if (this.#announced === this.up) return;
    this.#announced = this.up;
    if (this.up) this.#parts.log.info({ link: this.id }, "link up");
    else this.#parts.log.warn({ link: this.id, reason: this.#downReason }, "link down");
    for (const listener of this.#listeners) listener(this.up, this.#downReason);
  }

  #failAll(code: LinkErrorCode, reason: string): void {
    for (const job of this.#schedule.removeWhere(() => true)) failJob(job, code, { reason });
  }

  /** Sends the next job if the line is free and silent, else makes sure to be called again. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let lane = this.#lanes.free(); this.#session && lane; lane = this.#lanes.free()) {
      if (!this.#step(this.#session, lane)) break;
    }
    this.#pumping = false;
  }

  /** One choice; false when there is nothing to do now. */
  #step(session: WireSession, { turn }: Lane): boolean {
    this.#cancelWait();
    const nowMs = this.#clock.monotonicMs();
    for (const job of this.#schedule.expire(nowMs))
      failJob(job, "expired", { lateMs: nowMs - (job.notAfterMs ?? nowMs) });
    const probe = this.#book.dueProbe(nowMs, false);
    if (this.#schedule.size === 0 && !probe) {
      this.#wakeAt(this.#book.nextChangeMs(nowMs));
      return false;
    }
    this.#wantedMs ??= nowMs;
    if (!this.#isSilent(session, nowMs)) return false;
    this.#wantedMs = undefined;
    const job = nextJob(this.#schedule, this.#book, nowMs, turn, this.#lanes);
    if (!job) {
      this.#wakeAt(earliest(this.#book.nextChangeMs(nowMs), this.#schedule.nextExpiryMs()));
      return false;
    }
    const joined = this.#joiner ? this.#joiner.join(job, this.#schedule) : job;
    if (joined) turn.take(session, joined);
    return true;
  }

  /** Whether the silence before a frame is over; if not, the pump is called when it is. */
  #isSilent(session: WireSession, nowMs: number): boolean {
    // Bytes may lie in the kernel that the loop has not brought yet: they belong to no request of ours.
    this.#lanes.bytes(session.drain());
    if (this.#session !== session) return false;
    const silentMs = this.#lanes.lastByteMs + this.#cost.silenceUs / 1000;
    const babbleMs = (this.#wantedMs ?? nowMs) + (this.#cost.replyWaitMaxUs / 1000) * BABBLE_WAIT_SHARE;
    const freeMs = Math.min(silentMs, babbleMs);
    if (nowMs >= freeMs) return true;
    this.#cancelWait = waitUntil(this.#clock, freeMs, () => this.#pump());
    return false;
  }

  #wakeAt(atMs: number | undefined): void {
    if (atMs === undefined) return;
    const timer = this.#clock.after(Math.max(1, Math.ceil(atMs - this.#clock.monotonicMs())), () => this.#pump(), true);
    this.#cancelWait = () => timer.cancel();
  }
}

const earliest = (a: number | undefined, b: number | undefined) =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
