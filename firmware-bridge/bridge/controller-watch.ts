import { BEAT_LOST_MS, type ControllerBeat } from "@servofleet/contracts";

/** Between two looks of a bridge that does not sleep. */
const LOOKS_APART_MAX_MS = 200;

/** Whom the bridge obeys, and whether it is heard. Pure: it is told the time. */
export class ControllerWatch {
  #epoch = 0;
  #heardMs: number;
  #ever = false;
  #lost = false;
  #lookedMs: number;
  #benefitGiven = false;

  /** The bridge's own start counts as the last sign: a controller that never comes is lost as well. */
  constructor(nowMs: number) {
    this.#heardMs = nowMs;
    this.#lookedMs = nowMs;
  }

  /** Highest epoch seen. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Why orders are refused for want of a controller, in words; null while it is heard. */
  silent(nowMs: number): string | null {
    if (!this.#ever) return "no beat of it has come yet";
    const ms = nowMs - this.#heardMs;
    return this.#lost || ms > BEAT_LOST_MS ? `its last beat came ${Math.round(ms)} ms ago` : null;
  }

  /** A beat. An older controller's beat is no sign of life. */
  heard(beat: ControllerBeat, nowMs: number): boolean {
    if (beat.epoch < this.#epoch) return false;
    this.#epoch = beat.epoch;
    this.#heardMs = nowMs;
    this.#ever = true;
    this.#lost = false;
    this.#benefitGiven = false;
    return true;
  }

  /** An epoch named by an order, a stop or a request: higher supersedes. */
  sees(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  /** Its channel has closed: nobody waits for a beat any more. */
  gone(): void {
    this.#lost = true;
  }

  /**
   * Whether it has been silent for so long that the axes follow their policy; until it is heard again. If it was the bridge
   * that slept, beats wait unread: they are heard before it judges, which it then does at the next look whatever comes.
   */
  isLost(nowMs: number): boolean {
    const slept = nowMs - this.#lookedMs > LOOKS_APART_MAX_MS;
    this.#lookedMs = nowMs;
    if (slept && !this.#benefitGiven) this.#benefitGiven = true;
    else this.#lost ||= nowMs - this.#heardMs > BEAT_LOST_MS;
    return this.#lost;
  }
}
