import type { OrderAction } from "@servofleet/contracts";
import type { DriveProfile, Values } from "../profile/drive-profile.ts";
import type { DriveFacts } from "./drive-facts.ts";
import type { DriveTalk } from "./drive-talk.ts";

/** What an order's frames came to. `finished`: nothing is left to wait for (already so, or read back). */
export interface Performed {
  readonly finished: boolean;
}

/**
 * One drive as its handshake sees it: names in, frames out. It keeps only what the registers do not tell.
 * Frames go through a DriveTalk, so that the bridge can end any sequence between two of them.
 */
export interface Drive {
  readonly profile: DriveProfile;
  /** Reads only: identity and what conversions need. HandshakeError `wrong-drive` when it is not the drive of the profile. */
  attach(talk: DriveTalk): Promise<void>;
  /** True when a reading suggests that the drive was switched off and on in between: attach again. */
  readonly needsAttach: boolean;
  /** Whether the watchdog that this handshake sets was read back as set; null: not read yet. Undefined: it sets none. */
  readonly watchdogArmed?: boolean | null | undefined;
  facts(values: Values): DriveFacts;
  /** Why the drive cannot do this at all, in words; null when it can. Pure. */
  cannot(action: OrderAction): string | null;
  /** Sends the order; calls `acknowledged` once the drive has confirmed the decisive write. */
  perform(action: OrderAction, talk: DriveTalk, facts: DriveFacts, acknowledged: () => void): Promise<Performed>;
  /** The first frame is the one that stops. */
  stop(talk: DriveTalk): Promise<void>;
}
