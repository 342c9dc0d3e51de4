import type { TelemetrySample } from "@servofleet/runtime/telemetry-schema";
import { SampleRing } from "./sample-ring.ts";

/** What is kept from before a fault, and what is waited for after it. */
export const BEFORE_FAULT_US = 30_000_000;
export const AFTER_FAULT_US = 10_000_000;
/** Samples of one axis, whatever its rate (30 s at 50 Hz). */
const SAMPLES_MAX = 1500;

/** The last half minute of one axis in memory; a fault makes it worth keeping. Pure state, no clock. */
export class BlackBox {
  readonly #before: SampleRing;
  /** The capture under way ends with the first sample after this. */
  #until: number | undefined;
  #after: TelemetrySample[] = [];

  constructor(axis: TelemetrySample["axis"]) {
    this.#before = new SampleRing(axis, BEFORE_FAULT_US, SAMPLES_MAX);
  }

  /** Takes a sample; returns the second half of a capture when this sample completes it. */
  add(sample: TelemetrySample): readonly TelemetrySample[] | undefined {
    this.#before.add(sample);
    if (this.#until === undefined) return undefined;
    this.#after.push(sample);
    return sample.atUs >= this.#until || this.#after.length >= SAMPLES_MAX ? this.finish() : undefined;
  }

  /** A fault: returns what led to it. A fault inside a capture belongs to that one and gives nothing new. */
  capture(atUs: number): readonly TelemetrySample[] {
    if (this.#until !== undefined) return [];
    this.#until = atUs + AFTER_FAULT_US;
    return this.#before.samples();
  }

  /** Ends the capture under way and returns what it has of the time after the fault. */
  finish(): readonly TelemetrySample[] {
    this.#until = undefined;
    return this.#after.splice(0);
  }
}
