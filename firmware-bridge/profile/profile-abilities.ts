import type { LinkConfig } from "@servofleet/contracts";
import { lineCost, plannedLoad, stopBoundMs, transactionMicros } from "../link/bus-cost.ts";
import { DriveProfile } from "./drive-profile.ts";
import type { ProfileData } from "./profile-schema.ts";

/** What one axis costs on a line of a usual speed. */
export interface BusTime {
  readonly kind: LinkConfig["kind"];
  readonly baud: number;
  /** One pass over the status blocks, ms. */
  readonly passMs: number;
  /** Share of the line that one standing axis needs at the default poll.idleMs. */
  readonly idleLoad: number;
  /** Longest wait of a stop until its first byte on a line of this axis alone, ms. */
  readonly stopBoundMs: number;
}

/** What an axis with this profile can do and cannot do. */
export interface ProfileAbilities {
  readonly homingMethods: readonly number[];
  readonly homeOffset: boolean;
  readonly parameters: readonly string[];
  readonly faults: number;
  /** MoveVelocity without the configuration's leave: only where the drive notices a silent master. */
  readonly velocityMovesByDefault: boolean;
  readonly commLoss: ProfileData["commLoss"];
  readonly believed: readonly string[];
  readonly notBelieved: readonly string[];
  readonly bus: readonly BusTime[];
}

/** Default of poll.idleMs. */
const IDLE_MS = 200;
const BAUDS = { registers: [9600, 19_200, 38_400, 57_600, 115_200], bytes: [57_600, 115_200, 1_000_000] } as const;
const STOP_WAIT_MS = 50;

/** Sums a checked profile up. Pure. Objects go over TCP only and have no bus time. */
export function profileAbilities(data: ProfileData): ProfileAbilities {
  const inferred = Object.entries(data.inferred);
  return {
    homingMethods: Object.keys(data.homingMethods).map(Number),
    homeOffset: data.homing.offset,
    parameters: Object.keys(data.parameters),
    faults: Object.keys(data.faults).length,
    velocityMovesByDefault: data.commLoss.supported,
    commLoss: data.commLoss,
    believed: inferred.filter(([, fact]) => fact.enabled).map(([name]) => name),
    notBelieved: inferred.filter(([, fact]) => !fact.enabled).map(([name]) => name),
    bus: data.telegram === "objects" ? [] : BAUDS[data.telegram].map((baud) => busTime(new DriveProfile(data), baud)),
  };
}

function busTime(profile: DriveProfile, baud: number): BusTime {
  // Feetech packets are a few bytes shorter than Dynamixel's: the dearer of the two is told.
  const kind = profile.data.telegram === "bytes" ? "dynamixel" : "modbus-rtu";
  const line = { id: "line", kind, port: "-", baud, parity: "none", stopBits: 1, stopWaitMaxMs: STOP_WAIT_MS };
  const cost = lineCost(line as unknown as LinkConfig);
  const requests = profile.data.plan.status.map((names) => profile.read(...names));
  const passUs = requests.reduce((sum, request) => sum + transactionMicros(request, cost), 0);
  return {
    kind,
    baud,
    passMs: passUs / 1000,
    idleLoad: plannedLoad(
      requests.map((request) => ({ request, periodMs: IDLE_MS })),
      cost,
    ),
    stopBoundMs: stopBoundMs(cost, 0, requests),
  };
}
