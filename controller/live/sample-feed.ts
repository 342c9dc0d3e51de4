import {
  displayFromCounts,
  type LiveMessage,
  type Sample,
  type SampleMessage,
  unitsFromCountRate,
} from "@servofleet/contracts";
import type { LiveSample, TelemetrySink } from "../controller-parts.ts";
import { type Axis, scaleOf } from "../domain/axis-state.ts";
import type { AxisBook } from "../inbox/axis-book.ts";

/** A reading in the axis's own units, with the display offset in force. Pure. */
export function liveSample(sample: Sample, axis: Axis): LiveSample {
  const scale = scaleOf(axis);
  const rate = (counts: number | null): number | null => (counts === null ? null : unitsFromCountRate(counts, scale));
  return {
    type: "sample",
    axis: sample.axis,
    atUs: sample.atUs,
    position: displayFromCounts(sample.positionCounts, scale),
    velocity: rate(sample.velocityCountsPerS),
    // A distance scales as a rate does: without the offset.
    followingError: rate(sample.followingErrorCounts),
    torque: sample.torque,
    temperature: sample.temperature,
    moving: sample.moving,
    quality: sample.quality,
  };
}

/** What the bridge reads: into the telemetry store, and out to whoever looks on. */
export function feedSamples(
  message: SampleMessage,
  book: AxisBook,
  telemetry: TelemetrySink,
  publish: (message: LiveMessage) => void,
): void {
  if (message.type === "link-stats") {
    publish(message);
    return;
  }
  const samples = message.samples.filter(({ axis }) => book.has(axis));
  const converted = samples.map((sample) => liveSample(sample, book.committed(sample.axis)));
  for (const sample of converted) {
    telemetry.add(sample);
    publish(sample);
  }
}
