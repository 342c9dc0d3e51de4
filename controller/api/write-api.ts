import type { FleetConfig } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { JogDesk } from "../authority/jog-desk.ts";
import type { LeaseBook } from "../authority/lease-book.ts";
import type { LeaseDesk } from "../authority/lease-desk.ts";
import type { CaptureDesk } from "../bridge-link/capture-desk.ts";
import type { Logger } from "../controller-parts.ts";
import type { EventLog } from "../event-log/event-log.ts";
import type { Admission } from "../inbox/admission.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { CommandDesk } from "../inbox/command-desk.ts";
import type { CommandWaiters } from "../inbox/command-waiters.ts";
import type { Journal } from "../inbox/journal.ts";
import type { ProgramDesk } from "../programs/program-desk.ts";
import type { RunDesk } from "../programs/run-desk.ts";
import type { TriggerDesk } from "../programs/trigger-desk.ts";
import type { StopLane } from "../stop/stop-lane.ts";

/** Everybody is local until users exist. */
export const LOCAL_PRINCIPAL = "local";

/** What the routes work with. */
export interface WriteApi {
  readonly config: FleetConfig;
  readonly log: EventLog;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly admission: Admission;
  readonly desk: CommandDesk;
  readonly waiters: CommandWaiters;
  readonly stopLane: StopLane;
  readonly captures: CaptureDesk;
  readonly leases: LeaseBook;
  readonly leaseDesk: LeaseDesk;
  readonly jogs: JogDesk;
  readonly programs: ProgramDesk;
  readonly runs: RunDesk;
  readonly triggers: TriggerDesk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Why the controller is not ready for motion; null when it is. */
  readonly unready: () => string | null;
}
