import type { Timer } from "@servofleet/runtime/clock";
import type { DriveFacts } from "../handshake/drive-facts.ts";
import { HandshakeError } from "../handshake/drive-talk.ts";
import { LinkError } from "../link/link.ts";
import { type AxisParts, unitWords } from "./axis-parts.ts";
import { BlockReader } from "./block-reader.ts";
import { DriveSession, SessionEnded } from "./drive-session.ts";
import type { Reading } from "./reading.ts";
import { SpeedEstimate } from "./speed-estimate.ts";

/** A unit that is silent or strange is looked at this often, ms: what probes it is the line. */
const RETRY_MS = 100;
/** Failed passes in a row that count as silence even while the breaker is closed. */
const FAILURES_MAX = 3;

export interface PollerEvents {
  /** A stop is pending: send it before anything else. */
  readonly beforeAnything: () => Promise<void>;
  readonly fast: () => boolean;
  readonly underWay: () => boolean;
  readonly attached: () => void;
  readonly reading: (reading: Reading) => Promise<void>;
  /** The axis does not answer, or is not the drive it should be; in words. */
  readonly offline: (reason: string) => void;
}

/** Reads one drive again and again: one pass at a time, fast while something happens, slowly otherwise. */
export class Poller {
  readonly #parts: AxisParts;
  readonly #events: PollerEvents;
  readonly #blockReader: BlockReader;
  #timer: Timer | undefined;
  #busy = false;
  #closed = false;
  #wanted = false;
  #attached = false;
  #failures = 0;
  #turn = 0;
  readonly #estimate = new SpeedEstimate();

  constructor(parts: AxisParts, events: PollerEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#blockReader = new BlockReader(parts.link, parts.config.unit, parts.drive.profile);
  }

  start(): void {
    this.#schedule(0);
  }

  stop(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** Reads soon. */
  wake(): void {
    if (this.#busy) this.#wanted = true;
    else this.#schedule(0);
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(ms, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    this.#wanted = false;
    const { clock, config, link } = this.#parts;
    const startedMs = clock.monotonicMs();
    const answered = await this.#look();
    this.#busy = false;
    const { movingMs, idleMs } = config.poll;
    const isFast = this.#events.fast();
    // On a full line the period is longer by rule, at rest before in motion.
    const periodMs = link.pollPeriodMs(config.unit, isFast ? movingMs : idleMs, isFast);
    const restMs = startedMs + periodMs - clock.monotonicMs();
    if (answered) this.#schedule(this.#wanted ? 0 : Math.max(restMs, 0));
    else this.#schedule(this.#attached ? Math.min(periodMs, RETRY_MS) : RETRY_MS);
  }

  /** False when there was no reading. */
  async #look(): Promise<boolean> {
    const { link, config } = this.#parts;
    if (!link.up) {
      this.#lose(`link ${config.link} is down: ${link.downReason ?? "not open"}`);
      return false;
    }
    if (link.breaker(config.unit) !== "open") await this.#events.beforeAnything();
    try {
      if (!this.#attached || this.#parts.drive.needsAttach) await this.#attach();
      const reading = await this.#pass();
      this.#failures = 0;
      if (!this.#closed) await this.#events.reading(reading);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  async #attach(): Promise<void> {
    const { link, config, drive, clock } = this.#parts;
    await drive.attach(new DriveSession(link, config.unit, drive.profile, clock, { class: "poll", readClass: "poll" }));
    this.#failures = 0;
    if (this.#attached) return;
    this.#attached = true;
    this.#events.attached();
  }

  async #pass(): Promise<Reading> {
    const { drive, clock } = this.#parts;
    const { plan } = drive.profile.data;
    const { values, frames, startedMs, position } = await this.#blockReader.read(this.#blocks(plan));
    let facts = drive.facts(values);
    if (facts.fault === true && facts.faultCode === null && plan.fault.length > 0) {
      const fault = await this.#blockReader.read(plan.fault);
      for (const [name, raw] of fault.values) values.set(name, raw);
      facts = drive.facts(values);
    }
    const middleUs = position?.middleUs ?? clock.wallUs();
    const endedMs = clock.monotonicMs();
    const atMs = position ? (position.startedMs + position.endedMs) / 2 : endedMs;
    const { countsPerS, ageMs } = this.#speed(facts, atMs);
    return { facts, startedMs, endedMs, middleUs, velocityCountsPerS: countsPerS, velocityAgeMs: ageMs, frames };
  }

  #blocks(plan: { status: string[][]; order: string[][]; rotating: string[][] }): readonly string[][] {
    const extra = plan.rotating[this.#turn++ % Math.max(1, plan.rotating.length)];
    return [...plan.status, ...(this.#events.underWay() ? plan.order : []), ...(extra ? [extra] : [])];
  }

  /** As the drive tells it; where it does not, from its positions. */
  #speed(facts: DriveFacts, atMs: number): { countsPerS: number | null; ageMs: number } {
    const { positionCounts, velocityCountsPerS, moving } = facts;
    const isResting = velocityCountsPerS === null && moving === false;
    if (positionCounts !== null && isResting) this.#estimate.rest(positionCounts, atMs);
    if (isResting) return { countsPerS: 0, ageMs: 0 };
    const estimated = positionCounts === null ? null : this.#estimate.add(positionCounts, atMs);
    if (velocityCountsPerS !== null) return { countsPerS: velocityCountsPerS, ageMs: 0 };
    return estimated ?? { countsPerS: null, ageMs: 0 };
  }

  #failed(error: unknown): void {
    const { link, config, log } = this.#parts;
    if (error instanceof SessionEnded) return;
    if (error instanceof HandshakeError) {
      this.#lose(error.hint);
      return;
    }
    if (!(error instanceof LinkError)) {
      log.error(
        { axis: config.id, error: error instanceof Error ? (error.stack ?? String(error)) : String(error) },
        "poll failed by a bug",
      );
      this.#lose("reading failed by a bug of the bridge; see its log");
      return;
    }
    if (
      error.code === "withdrawn" ||
      error.code === "queue-full" ||
      error.code === "expired" ||
      error.code === "closed"
    )
      return;
    if (error.code === "link-down" || error.code === "link-lost") {
      this.#lose(`link ${config.link} is down: ${link.downReason ?? "it broke"}`);
      return;
    }
    this.#failures++;
    const unit = unitWords(config);
    if (error.code === "exception") {
      const words = `${unit} refuses to be read as a ${this.#parts.drive.profile.name} (exception ${String(error.facts["exceptionCode"])})`;
      if (this.#failures >= FAILURES_MAX) this.#lose(words);
      return;
    }
    if (link.breaker(config.unit) !== "closed" || this.#failures >= FAILURES_MAX) {
      this.#lose(`${unit} has not answered ${FAILURES_MAX} requests`);
    }
  }

  #lose(reason: string): void {
    this.#attached = false;
    this.#estimate.forget();
    this.#events.offline(reason);
  }
}
