import {
  type AxisStatus,
  type Command,
  type CommandType,
  MOTION_COMMANDS,
  type ProblemFacts,
  TTL_MAX_MS,
  TTL_MIN_MS,
} from "@servofleet/contracts";
import { type Axis, isDriving } from "./axis-state.ts";
import { drivingCommand } from "./plcopen-state.ts";
import { plain, problem } from "./refusal.ts";

/** Status reads of this bridge before its word is taken (recovery table: read before write). */
export const READS_BEFORE_TRUST = 2;

type Check = (command: Command, axis: Axis, status: AxisStatus | null) => ProblemFacts | null;

/** These never set anything in motion and lead out of trouble, so latch and fault let them through. */
const PASSES_LATCH: ReadonlySet<CommandType> = new Set(["Disable", "Reset"]);
/** A person who has to reconcile may still halt, de-energise and clear a fault. */
const PASSES_RECONCILE: ReadonlySet<CommandType> = new Set(["Disable", "Reset", "Halt"]);
const NEEDS_STANDSTILL: ReadonlySet<CommandType> = new Set(["Home", "SetPosition", "WriteParameter"]);
const NEEDS_HOMING: ReadonlySet<CommandType> = new Set(["MoveAbsolute", "MoveRelative"]);

const notReady = (detail: string, remedy: string): ProblemFacts => problem("axis-not-ready", detail, remedy);

export const isBeingDisabled = (axis: Axis): boolean =>
  axis.open.values().some((command) => command.type === "Disable");

/** The axis was read and found standing, and nothing that could move it is under way. */
export function standsStill(axis: Axis, status: AxisStatus | null): boolean {
  if (!status?.online || status.moving || status.stopPending) return false;
  // A fault's own status reading is newer than the motion it ended.
  return axis.fault !== null || !axis.moving;
}

const version: Check = ({ expectedVersion }, axis) =>
  expectedVersion === undefined || expectedVersion === axis.version
    ? null
    : problem(
        "version-mismatch",
        `axis ${axis.id} is at version ${axis.version}, the request expects ${expectedVersion < 0 ? "one it never had" : expectedVersion}`,
        "read the axis again and repeat with its new ETag as If-Match",
      );

const ttl: Check = ({ ttlMs }) =>
  ttlMs >= TTL_MIN_MS && ttlMs <= TTL_MAX_MS
    ? null
    : problem(
        "ttl-out-of-range",
        `ttlMs ${plain(ttlMs)} ms is outside ${TTL_MIN_MS} to ${TTL_MAX_MS} ms`,
        `ask for ${TTL_MIN_MS} to ${TTL_MAX_MS} ms`,
        [
          {
            pointer: "/ttlMs",
            detail: ttlMs > TTL_MAX_MS ? `at most ${TTL_MAX_MS}` : `at least ${TTL_MIN_MS}`,
          },
        ],
      );

const reconciled: Check = ({ request }, axis) =>
  !axis.reconcileRequired || PASSES_RECONCILE.has(request.type)
    ? null
    : problem(
        "reconcile-required",
        `axis ${axis.id} waits for a person: ${axis.reconcileReason ?? "an outcome is open"}`,
        `look at the axis, then POST /v1/axes/${axis.id}/reconcile with "adopt" or "abandon"`,
      );

const unlatched: Check = ({ request }, axis) =>
  !axis.stopLatched || PASSES_LATCH.has(request.type)
    ? null
    : problem(
        "stop-latched",
        `a stop is latched on axis ${axis.id} (stop generation ${axis.stopGeneration}); ${request.type} waits for its release`,
        "find out why it was stopped, then send Reset once the axis stands",
      );

const online: Check = (_command, axis, status) => {
  const offline = (reason: string): ProblemFacts =>
    problem(
      "axis-offline",
      `axis ${axis.id} (link ${axis.link}, unit ${axis.config.unit}) does not answer: ${reason}`,
      "check the drive's power, its cable and its unit id; it comes back by itself",
    );
  if (axis.offlineReason !== null) return offline(axis.offlineReason);
  if (status === null) return offline("no reading");
  if (!status.online) return offline(status.offlineReason ?? "no answer");
  if (status.reads < READS_BEFORE_TRUST)
    return offline(`read ${status.reads} of ${READS_BEFORE_TRUST} times since start`);
  return null;
};

const noFault: Check = ({ request }, axis) =>
  axis.fault === null || PASSES_LATCH.has(request.type)
    ? null
    : notReady(
        `axis ${axis.id} is in error-stop: ${axis.fault.code} ${axis.fault.name}`,
        `${axis.fault.remedy}; then send Reset`,
      );

const energised: Check = ({ request }, axis) => {
  if (!isDriving(request.type)) return null;
  if (!axis.enabled) return notReady(`axis ${axis.id} is disabled`, "send Enable first");
  return isBeingDisabled(axis)
    ? notReady(`axis ${axis.id} is being disabled`, "wait for the Disable, then send Enable")
    : null;
};

const notHoming: Check = ({ request }, axis) => {
  const homing = axis.open.values().some((command) => command.type === "Home");
  return homing && MOTION_COMMANDS.has(request.type)
    ? notReady(`axis ${axis.id} is homing`, "wait until it is homed, or send Halt")
    : null;
};

const nobodysMotion: Check = ({ request }, axis) =>
  axis.unexpectedMotion && MOTION_COMMANDS.has(request.type)
    ? notReady(`axis ${axis.id} moves without a command of ours`, "send a stop, find the cause, then Reset")
    : null;

const standstill: Check = ({ request }, axis, status) => {
  if (!NEEDS_STANDSTILL.has(request.type)) return null;
  const driving = axis.open.values().find((command) => isDriving(command.type));
  if (driving) {
    const what = `${driving.type} ${driving.commandId} is under way`;
    return notReady(
      `${request.type} needs standstill, but ${what} on axis ${axis.id}`,
      "wait for its end, or send Halt",
    );
  }
  return standsStill(axis, status)
    ? null
    : notReady(`${request.type} needs standstill, but axis ${axis.id} still moves`, "wait until it stands");
};

/** Whether the reading was taken by a bridge that knew of the newest stop: an older one, repeated, shows what stood before. */
const readAfterStop = (axis: Axis, status: AxisStatus | null): boolean =>
  status !== null && status.stopGeneration >= axis.stopGeneration;

/** Nothing but a reading is missing for a Reset: the next one is due in a moment and decides it. */
export const waitsForReading = (type: CommandType, axis: Axis, status: AxisStatus | null): boolean =>
  type === "Reset" && axis.stopLatched && standsStill(axis, status) && !readAfterStop(axis, status);

/** Only a latch needs standstill (API: the latch stands for MC_Stop's Execute). A fault alone is the drive's matter. */
const releasable: Check = ({ request }, axis, status) => {
  if (request.type !== "Reset" || !axis.stopLatched || (standsStill(axis, status) && readAfterStop(axis, status)))
    return null;
  const why = standsStill(axis, status) ? "has not been read since the stop" : "still moves";
  return notReady(
    `the stop latched on axis ${axis.id} is only released at measured standstill, and the axis ${why}`,
    "wait until it stands, then send Reset again",
  );
};

const positioned: Check = ({ request }, axis, status) => {
  if (request.type === "SetPosition" && status?.positionCounts == null) {
    return notReady(`the position of axis ${axis.id} is not known`, "wait for the next reading");
  }
  if (request.type !== "MoveRelative") return null;
  const driving = drivingCommand(axis);
  if (driving?.targetCounts != null) return null;
  const rests = !driving && standsStill(axis, status) && status?.positionCounts != null;
  return rests
    ? null
    : notReady(
        `axis ${axis.id} moves without a target, so there is nothing a distance could start from`,
        "send Halt and wait until it stands, or ask for MoveAbsolute",
      );
};

const homed: Check = ({ request }, axis) =>
  axis.homed || !axis.config.homing.required || !NEEDS_HOMING.has(request.type)
    ? null
    : notReady(`axis ${axis.id} is not homed, and its homing is required`, "send Home first");

const able: Check = ({ request }, axis) => {
  const { abilities } = axis;
  // SetPosition moves the display only; a Reset without a fault sends nothing.
  if (abilities === null || request.type === "SetPosition" || (request.type === "Reset" && !axis.fault)) return null;
  const cannot = (detail: string, remedy: string, pointer: string, allowed: string): ProblemFacts =>
    problem("unsupported-by-drive", detail, remedy, [{ pointer, detail: allowed }]);
  if (!abilities.commands.includes(request.type)) {
    const known = abilities.commands.join(", ");
    return cannot(
      `profile ${abilities.profile} has no ${request.type}`,
      `it can ${known}`,
      "/type",
      "one the drive has",
    );
  }
  if (request.type === "WriteParameter" && !abilities.parameters.includes(request.parameter)) {
    const known = abilities.parameters.join(", ") || "none";
    const detail = `profile ${abilities.profile} has no parameter ${request.parameter}`;
    return cannot(detail, `its parameters: ${known}`, "/parameter", "one the profile names");
  }
  if (request.type === "MoveVelocity" && !abilities.commLoss.supported && !axis.config.allowUnboundedMoves) {
    const detail = `no communication watchdog is in force (${abilities.profile}): a velocity move would run on if the line broke; ${abilities.commLoss.reaction}`;
    const remedy = "ask for MoveAbsolute, or set allowUnboundedMoves for this axis in the configuration";
    return cannot(detail, remedy, "/type", "a move with an end");
  }
  return null;
};

/** In the order in which a client should hear of them. */
const CHECKS: readonly Check[] = [
  version,
  ttl,
  reconciled,
  unlatched,
  online,
  noFault,
  energised,
  releasable,
  notHoming,
  nobodysMotion,
  standstill,
  positioned,
  homed,
  able,
];

/** The first thing that keeps the command from being taken, before its numbers are looked at. */
export function readiness(command: Command, axis: Axis, status: AxisStatus | null): ProblemFacts | null {
  for (const check of CHECKS) {
    const found = check(command, axis, status);
    if (found) return found;
  }
  return null;
}
