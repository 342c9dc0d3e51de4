import type { Values } from "../profile/drive-profile.ts";
import type { MotionUnits } from "../profile/motion-units.ts";
import type { ProfileData } from "../profile/profile-schema.ts";
import { type ServoDialect, WATCHDOG_FAULT } from "../profile/servo-dialect.ts";
import { type DriveFacts, UNKNOWN_FACTS } from "./drive-facts.ts";

/** Decodes what was read of a register servo. Pure. */
export function servoFacts(
  values: Values,
  units: MotionUnits,
  servo: ServoDialect,
  { registers, settle }: Pick<ProfileData, "registers" | "settle">,
): DriveFacts {
  const physical = (name: string): number | null => {
    const raw = values.get(name);
    return raw === undefined ? null : raw * (registers[name]?.scale ?? 1);
  };
  const rawVelocity = values.get("actualVelocity");
  const velocity = rawVelocity === undefined ? null : units.countsPerS(rawVelocity);
  const torqueEnable = values.get("torqueEnable");
  const faultCode = servoFault(values, servo);
  const common = {
    ...UNKNOWN_FACTS,
    positionCounts: values.get("actualPosition") ?? null,
    velocityCountsPerS: velocity,
    torque: physical("load"),
    temperature: physical("temperature"),
    homed: servo.absolute,
    homing: "none" as const,
    enabled: torqueEnable === undefined ? null : torqueEnable !== 0,
    fault: faultCode === null ? null : faultCode !== 0,
    faultCode,
  };
  const flag = bits(values, servo.moving);
  if (flag === null) return common;
  const fast = velocity !== null && Math.abs(velocity) > settle.stillCountsPerS;
  const arrived = servo.inPosition ? bits(values, servo.inPosition) : !flag;
  return { ...common, moving: flag || fast, busy: flag || fast, complete: arrived };
}

/** Lowest fault bit that is set, or the watchdog's own code; 0 without fault, null where nothing of it was read. */
export function servoFault(values: Values, { fault, watchdog }: ServoDialect): number | null {
  const raw = fault ? values.get(fault.register) : 0;
  const tripped = watchdog !== undefined && values.get(watchdog.register) === watchdog.tripped;
  const set = (raw ?? 0) & (fault?.mask ?? 0);
  if (set !== 0) return set & -set;
  if (tripped) return WATCHDOG_FAULT;
  return raw === undefined ? null : 0;
}

function bits(values: Values, { register, mask }: ServoDialect["moving"]): boolean | null {
  const raw = values.get(register);
  return raw === undefined ? null : (raw & mask) !== 0;
}
