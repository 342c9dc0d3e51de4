/** One stored sample in display units. */
export interface TelemetryPoint {
  readonly atUs: number;
  readonly position: number;
  readonly velocity: number | null;
  readonly followingError: number | null;
  readonly torque: number | null;
  readonly temperature: number | null;
}

/** Smallest, largest and mean of a value in a stretch of time; null when it was never known in it. */
export interface Spread {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

export interface TelemetryBucket {
  readonly fromUs: number;
  readonly toUs: number;
  readonly count: number;
  readonly position: Spread | null;
  readonly velocity: Spread | null;
  readonly followingError: Spread | null;
  readonly torque: Spread | null;
  readonly temperature: Spread | null;
}

export type TelemetryAnswer =
  | { readonly kind: "samples"; readonly items: readonly TelemetryPoint[] }
  | { readonly kind: "buckets"; readonly items: readonly TelemetryBucket[] };

/** The telemetry store as the read side sees it (adapter: `@servofleet/runtime/telemetry-reader`). */
export interface TelemetrySource {
  /** Samples with `fromUs <= at <= toUs`; buckets when there would be more than `points`. */
  read(axis: string, fromUs: number, toUs: number, points: number): Promise<TelemetryAnswer>;
  /** The samples around the newest fault in a stretch of time. */
  newestBlackBox(axis: string, fromUs: number, toUs: number, points: number): Promise<TelemetryAnswer>;
  /** What the store takes of the disk; undefined before its first minute. */
  usage(): Promise<TelemetryUsage | undefined>;
}

/** In bytes; pages that were freed are used again, so the file stays at its largest. */
export interface TelemetryUsage {
  readonly usedBytes: number;
  readonly fileBytes: number;
  readonly budgetBytes: number;
  readonly lostSamples: number;
}
