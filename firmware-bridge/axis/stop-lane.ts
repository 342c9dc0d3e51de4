import type { Frame, ProblemFacts, StopOrder, StopResult } from "@servofleet/contracts";
import { LinkError } from "../link/link.ts";
import { type AxisParts, unitWords } from "./axis-parts.ts";
import { mayHaveArrived, problemOf } from "./axis-problem.ts";
import { DriveSession } from "./drive-session.ts";

/** Stops of one axis that are told apart; more than that at once join the newest. */
const STOPS_MAX = 16;
/** Lost answers after which the stop waits for a sign of life instead of holding up the line for the others. */
const TRIES_AT_ONCE = 3;

interface OpenStop {
  readonly order: StopOrder;
  told: StopResult | null;
  /** Its own frame, or a later one, has left. */
  sent: boolean;
}

interface StopEvents {
  /** The drive has confirmed the stop. */
  readonly acknowledged: (order: StopOrder) => void;
  /** `stopPending` may have changed. */
  readonly changed: () => void;
}

/**
 * The stop of one axis. It always transmits, also at standstill, and is the only thing that is sent again: a stop may
 * be applied twice. A drive that does not answer keeps it pending, as the first frame once it is back.
 */
export class StopLane {
  generation = 0;
  readonly #parts: AxisParts;
  readonly #events: StopEvents;
  #open: OpenStop[] = [];
  #sending = false;
  #again = false;
  #tries = 0;

  constructor(parts: AxisParts, events: StopEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  get pending(): boolean {
    return this.#open.length > 0;
  }

  /** The generation must have been raised before: nothing older may be sent while the stop waits for the wire. */
  submit(order: StopOrder): void {
    if (this.#open.length >= STOPS_MAX) this.#open.splice(1, 1);
    this.#open.push({ order, told: null, sent: false });
    this.#tries = 0;
    this.#kick();
  }

  /** A sign of life: what is pending goes out now, before anything else. Resolves when it has been tried. */
  async flush(): Promise<void> {
    if (!this.pending || this.#sending) return;
    await this.#send();
  }

  #kick(): void {
    if (this.#sending) this.#again = true;
    else void this.#send();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    do {
      this.#again = false;
      await this.#once();
    } while (this.#again && this.pending);
    this.#sending = false;
    this.#events.changed();
  }

  async #once(): Promise<void> {
    const { link, config, drive, clock } = this.#parts;
    const frames: Frame[] = [];
    let covered: readonly OpenStop[] = [];
    let confirmed = false;
    const session = new DriveSession(link, config.unit, drive.profile, clock, {
      class: "stop",
      readClass: "confirm",
      onFrames: (more) => void frames.push(...more),
      onWriteSent: (weight, _wallUs, frame) => {
        if (weight !== "decisive") return;
        frames.push(frame);
        covered = [...this.#open];
        for (const stop of covered) stop.sent = true;
        for (const stop of covered) this.#tell(stop, "sent", null, [frame]);
      },
      onWriteDone: (weight) => {
        if (weight !== "decisive" || confirmed) return;
        confirmed = true;
        this.#confirm(covered, frames);
      },
    });
    try {
      await drive.stop(session);
    } catch (error) {
      if (!confirmed) this.#lost(error, frames);
    }
  }

  #confirm(covered: readonly OpenStop[], frames: readonly Frame[]): void {
    this.#tries = 0;
    this.#open = this.#open.filter((stop) => !covered.includes(stop));
    for (const stop of covered) this.#tell(stop, "acknowledged", null, frames);
    for (const stop of covered) this.#events.acknowledged(stop.order);
  }

  #lost(error: unknown, frames: readonly Frame[]): void {
    const problem = problemOf(error, unitWords(this.#parts.config));
    if (this.#isRefusal(error)) {
      const refused = this.#open.filter((stop) => stop.sent);
      this.#open = this.#open.filter((stop) => !stop.sent);
      for (const stop of refused) this.#tell(stop, "failed", problem, frames);
      return;
    }
    for (const stop of this.#open) this.#tell(stop, "pending", problem, frames);
    this.#tries++;
    // A frame may be lost or damaged now and then: once more at once. After that it waits for a sign of life.
    if (mayHaveArrived(error) && this.#tries < TRIES_AT_ONCE) this.#again = true;
    else if (this.#isDamage(error) && this.#tries < TRIES_AT_ONCE) this.#again = true;
  }

  #isRefusal(error: unknown): boolean {
    return error instanceof LinkError && error.code === "exception" && !this.#isDamage(error);
  }

  /** Leadshine answers a damaged frame with exception 08 instead of silence (iCL-RS manual, error codes). */
  #isDamage(error: unknown): boolean {
    if (!(error instanceof LinkError) || error.code !== "exception") return false;
    return this.#parts.drive.profile.data.quirks.exception08OnCrc === true && error.facts["exceptionCode"] === 8;
  }

  #tell(stop: OpenStop, result: StopResult, problem: ProblemFacts | null, frames: readonly Frame[]): void {
    if (stop.told === result) return;
    // "sent" again after "pending" would look like progress.
    if (stop.told === "pending" && result === "sent") return;
    stop.told = result;
    const { stopId, axis, stopGeneration, reason } = stop.order;
    const atUs = this.#parts.clock.wallUs();
    this.#parts.report({
      type: "stop-result",
      stopId,
      axis,
      stopGeneration,
      result,
      reason,
      problem,
      atUs,
      frames: frames.slice(-16),
    });
  }
}
