import { type AxisStatus, type CommandRequest, displayFromCounts, type ProblemFacts } from "@servofleet/contracts";
import { type Axis, scaleOf } from "./axis-state.ts";
import { countsWithin, directionExcess, displayExcess, positionExcess, rateExcess, softLimit } from "./limits.ts";
import { drivingCommand } from "./plcopen-state.ts";

/** What a wish was decided to be. Display units, units/s, units/s2; null where it has no meaning. */
export interface MotionPlan {
  readonly target: number | null;
  /** Drive counts, machine frame. */
  readonly targetCounts: number | null;
  readonly velocity: number | null;
  readonly acceleration: number | null;
  readonly deceleration: number | null;
}
export const NO_MOTION: MotionPlan = {
  target: null,
  targetCounts: null,
  velocity: null,
  acceleration: null,
  deceleration: null,
};

/**
 * Where a relative move starts from. At standstill the set position that the drive holds, so that a row of relative moves
 * does not add up their final errors (MC_MoveRelative); the measured one when the axis is not where it was sent. In
 * motion the target of the move under way (MC_MoveAdditive's base): the momentary set position, which MC_MoveRelative
 * names, is known to the drive alone, and a base read over the line would depend on the moment of reading.
 */
function relativeBase(axis: Axis, status: AxisStatus | null): number {
  const measured = status?.positionCounts ?? axis.positionCounts ?? 0;
  const held = axis.heldCounts ?? measured;
  const rest = Math.abs(held - measured) <= (axis.abilities?.positionWindowCounts ?? 0) ? held : measured;
  return displayFromCounts(drivingCommand(axis)?.targetCounts ?? rest, scaleOf(axis));
}

/** The numbers of a request against the limits of the axis, and what is left to the defaults. */
export function planMotion(request: CommandRequest, axis: Axis, status: AxisStatus | null): MotionPlan | ProblemFacts {
  switch (request.type) {
    case "MoveAbsolute":
      return planMove(request, axis, request.position, null);
    case "MoveRelative":
      return planMove(request, axis, relativeBase(axis, status) + request.distance, request.distance);
    case "MoveVelocity":
      return planVelocity(request, axis, status);
    case "Halt":
      return planHalt(request.deceleration, axis);
    case "Home": {
      const { homing, limits } = axis.config;
      const velocity = Math.min(homing.velocity, limits.velocity);
      return { ...NO_MOTION, velocity, acceleration: limits.acceleration, deceleration: limits.acceleration };
    }
    case "Enable":
    case "Disable":
    case "Reset":
    case "WriteParameter":
      return NO_MOTION;
    case "SetPosition":
      return softLimit([displayExcess(axis, request.position)]) ?? NO_MOTION;
  }
}

interface Ramps {
  readonly acceleration?: number;
  readonly deceleration?: number;
}

/** Brakes at least as hard as the motion it replaces promised to, else it could run past where that one would have ended. */
const atLeastRunning = (deceleration: number, axis: Axis): number =>
  Math.max(deceleration, drivingCommand(axis)?.deceleration ?? 0);

function planRamps(ramps: Ramps, axis: Axis): { readonly acceleration: number; readonly deceleration: number } {
  const acceleration = ramps.acceleration ?? axis.config.limits.acceleration;
  return { acceleration, deceleration: atLeastRunning(ramps.deceleration ?? acceleration, axis) };
}

const rampExcesses = (ramps: Ramps, axis: Axis) => {
  const unit = `${axis.config.unitName}/s2`;
  const max = axis.config.limits.acceleration;
  return [
    rateExcess("acceleration", ramps.acceleration, max, unit),
    rateExcess("deceleration", ramps.deceleration, max, unit),
  ];
};

function planMove(
  request: Ramps & { readonly velocity?: number },
  axis: Axis,
  target: number,
  distance: number | null,
): MotionPlan | ProblemFacts {
  const { limits, unitName } = axis.config;
  const beyond = softLimit([
    positionExcess(axis, target, distance),
    rateExcess("velocity", request.velocity, limits.velocity, `${unitName}/s`),
    ...rampExcesses(request, axis),
  ]);
  if (beyond) return beyond;
  const velocity = request.velocity ?? limits.velocity;
  return { target, targetCounts: countsWithin(axis, target), velocity, ...planRamps(request, axis) };
}

function planVelocity(
  request: Ramps & { readonly velocity: number },
  axis: Axis,
  status: AxisStatus | null,
): MotionPlan | ProblemFacts {
  const beyond = softLimit([
    directionExcess(axis, request.velocity, status?.positionCounts ?? axis.positionCounts),
    ...rampExcesses(request, axis),
  ]);
  return beyond ?? { ...NO_MOTION, velocity: request.velocity, ...planRamps(request, axis) };
}

function planHalt(deceleration: number | undefined, axis: Axis): MotionPlan | ProblemFacts {
  const { limits, unitName } = axis.config;
  const beyond = softLimit([rateExcess("deceleration", deceleration, limits.acceleration, `${unitName}/s2`)]);
  return beyond ?? { ...NO_MOTION, deceleration: atLeastRunning(deceleration ?? limits.acceleration, axis) };
}
