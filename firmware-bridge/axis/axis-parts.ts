import type { AxisConfig, Report } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { Drive } from "../handshake/drive.ts";
import type { DriveFacts } from "../handshake/drive-facts.ts";
import type { Link } from "../link/link.ts";
import type { GuardFacts } from "./order-guard.ts";
import type { StartGate } from "./start-gate.ts";

/** What the bridge writes for a person who looks for the cause of something; the arguments of a structured logger. */
export interface BridgeLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** What the lanes of one axis share. */
export interface AxisParts {
  readonly config: AxisConfig;
  readonly link: Link;
  readonly drive: Drive;
  readonly clock: Clock;
  readonly log: BridgeLog;
  readonly report: (report: Report) => void;
  /** Where the drive can be started by one frame with others of its line. */
  readonly starts?: StartGate | undefined;
  /** Last decoded reading. */
  readonly facts: () => DriveFacts;
  /** Why the axis takes no orders now (does not answer, not attached), in words; null when it does. */
  readonly offline: () => { readonly reason: "axis-offline" | "link-down"; readonly words: string } | null;
  readonly guard: () => Omit<GuardFacts, "superseded" | "released" | "nowMs">;
  /** Reads again soon. */
  readonly wake: () => void;
}

/** `unit 3 on line_a`, as problems and reasons name a drive. */
export const unitWords = (config: AxisConfig): string => `unit ${config.unit} on ${config.link}`;
