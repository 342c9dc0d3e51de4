import type { Values } from "../profile/drive-profile.ts";
import type { MotionUnits } from "../profile/motion-units.ts";
import { type DriveFacts, UNKNOWN_FACTS } from "./drive-facts.ts";

/** Bits of 0x1003 (iCL-RS manual, motion status). */
const BIT = {
  fault: 1 << 0,
  enabled: 1 << 1,
  running: 1 << 2,
  commandComplete: 1 << 4,
  pathComplete: 1 << 5,
  homed: 1 << 6,
};
const QUICK_STOP = 0x040;
const HOME = 0x020;
const POSITIONING = 0x200;
/** 0x601D (iCL-RS manual, PR warning). */
const HOMING_LIMIT = 0x100;
const HOMING_OVER_TRAVEL = 0x102;

/** Where a trigger stands, from the read-back of 0x6002 (iCL-RS manual, PR control). */
export function triggerPhase(
  word: number,
): "ready" | "not-taken" | "running" | "positioning" | "following-error" | "stopping" | "unknown" {
  if (word <= 0x00f) return "ready";
  if ((word & 0xfff0) === 0x010 || word === HOME || word === 0x021) return "not-taken";
  if (word === QUICK_STOP) return "stopping";
  if ((word & 0xfff0) === 0x100) return "running";
  // 0x200 is also "following error in path 0": the status word decides there.
  if (word === POSITIONING) return "positioning";
  return (word & 0xfff0) === 0x200 ? "following-error" : "unknown";
}

/** Decodes what was read. `stopSticks`: 0x6002 may read 0x0040 long after the stop has ended. */
export function pathTableFacts(values: Values, units: MotionUnits, stopSticks: boolean): DriveFacts {
  const status = values.get("status");
  const trigger = values.get("trigger");
  const phase = trigger === undefined ? null : triggerPhase(trigger);
  const rpm = values.get("actualVelocity");
  const common = {
    ...UNKNOWN_FACTS,
    positionCounts: values.get("actualPosition") ?? null,
    velocityCountsPerS: rpm === undefined ? null : units.countsPerS(rpm),
    followingErrorCounts: values.get("followingError") ?? null,
    faultCode: values.get("alarm") ?? null,
  };
  if (status === undefined) return common;
  const running = (status & BIT.running) !== 0;
  const complete = (status & BIT.commandComplete) !== 0 && (status & BIT.pathComplete) !== 0;
  const waits = phase === "not-taken" || phase === "running" || phase === "positioning";
  const stops = phase === "stopping" && !stopSticks;
  const limit = limitWords(values.get("warning"));
  return {
    ...common,
    enabled: (status & BIT.enabled) !== 0,
    fault: (status & BIT.fault) !== 0,
    homed: (status & BIT.homed) !== 0,
    moving: running,
    // A stopped path leaves the completion bits down: only a path under way waits for them.
    busy: running || waits || stops,
    complete,
    taken: running || phase === "running" || phase === "positioning" ? true : phase === null ? null : false,
    homing: homingPhase(running, phase, complete, (status & BIT.homed) !== 0, limit),
    limit,
  };
}

function homingPhase(
  running: boolean,
  phase: ReturnType<typeof triggerPhase> | null,
  complete: boolean,
  homed: boolean,
  limit: string | null,
): DriveFacts["homing"] {
  if (running || phase === "not-taken" || phase === "running" || phase === "positioning") return "running";
  if (phase === null) return null;
  if (homed && complete) return "attained";
  return limit === null ? "none" : "failed";
}

function limitWords(warning: number | undefined): string | null {
  if (warning === undefined || warning === 0) return null;
  if (warning === HOMING_LIMIT) return "a limit switch ended the homing run";
  if (warning === HOMING_OVER_TRAVEL) return "the homing run went beyond its over-travel distance";
  if ((warning & 0xfff0) === 0x200) return "a limit switch or a soft limit of the drive ended the motion";
  return null;
}
