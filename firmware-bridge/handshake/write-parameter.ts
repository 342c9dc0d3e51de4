import type { OrderAction } from "@servofleet/contracts";
import type { DriveProfile } from "../profile/drive-profile.ts";
import { type DriveTalk, HandshakeError } from "./drive-talk.ts";

export type ParameterWrite = Extract<OrderAction, { kind: "write-parameter" }>;

/** Register and raw value of an allowed parameter, or why not. */
export function parameterValue(
  profile: DriveProfile,
  { parameter, value }: ParameterWrite,
): { readonly register: string; readonly raw: number } | { readonly trouble: string } {
  const fact = profile.data.parameters[parameter];
  if (!fact) {
    const names = Object.keys(profile.data.parameters).join(", ");
    return { trouble: `${profile.name} has no parameter ${parameter} that may be written (${names})` };
  }
  if (value < fact.min || value > fact.max)
    return { trouble: `${parameter} ${value} is outside ${fact.min} to ${fact.max}` };
  const steps = value / profile.fact(fact.register).scale;
  const raw = Math.round(steps);
  if (Math.abs(steps - raw) > 1e-6)
    return { trouble: `${parameter} ${value} is not a whole number of steps of ${profile.fact(fact.register).scale}` };
  return { register: fact.register, raw };
}

/** Compares, writes once if different, reads back. Spares the drive's memory and proves the value. */
export async function writeParameter(
  profile: DriveProfile,
  action: ParameterWrite,
  talk: DriveTalk,
  acknowledged: () => void,
): Promise<void> {
  const wanted = parameterValue(profile, action);
  if ("trouble" in wanted) throw new HandshakeError("unsupported", { ...action }, wanted.trouble);
  const { register, raw } = wanted;
  if ((await talk.read(register)).get(register) !== raw) await talk.write([[register, raw]], "decisive");
  acknowledged();
  const found = (await talk.read(register)).get(register);
  if (found === raw) return;
  throw new HandshakeError(
    "no-response",
    { register, raw, found },
    `${action.parameter} reads back ${found} where ${raw} was written`,
  );
}
