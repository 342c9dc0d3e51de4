import type { AxisId, FleetConfig, LiveMessage } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import type { EventLog } from "./event-log/event-log.ts";

/** What the write side asks of a logger; a pino logger is one. */
export interface Logger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** One sample in display units. */
export type LiveSample = Extract<LiveMessage, { type: "sample" }>;

/** Where samples are stored. Never waits and never throws: samples are lossy, motion is not. */
export interface TelemetrySink {
  /** Display units, in the order of arrival. */
  add(sample: LiveSample): void;
  /** A fault of the axis: the samples around it are kept. */
  fault(axis: AxisId, atUs: number): void;
}

/** Process exit code after the log could not be trusted any more: the supervisor starts a fresh writer. */
export const POISONED_EXIT_CODE = 70;

/** Everything the composition gives to the write side. */
export interface ControllerOptions {
  /** Checked and with its defaults filled in. */
  readonly config: FleetConfig;
  /** Version of the product, for `BoxStarted`. */
  readonly version: string;
  readonly log: EventLog;
  readonly bus: MessageBus;
  readonly telemetry: TelemetrySink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Unix socket of the write API (0660). */
  readonly socketPath: string;
  /** Unix stream socket with one `LiveMessage` per line (0660). */
  readonly liveSocketPath: string;
  /** The bridge has not been heard for BEAT_LOST_MS: kill it and start the next. Called once per loss. */
  readonly onBridgeLost?: (reason: string) => void;
  /** The log is poisoned: exit with this code. Answers under way have been given a moment to leave. */
  readonly onPoisoned?: (exitCode: number) => void;
}
