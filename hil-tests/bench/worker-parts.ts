import type { Clock } from "@servofleet/runtime/clock";

/** What a worker is given; it answers with its calls by name. */
export interface WorkerParts {
  readonly clock: Clock;
  /** Tells the bench something that it did not ask for. */
  readonly note: (note: unknown) => void;
}
