import type { OrderAction } from "@servofleet/contracts";
import type { DriveProfile, Values } from "../profile/drive-profile.ts";
import { type DriveTalk, HandshakeError } from "./drive-talk.ts";

export type ParameterWrite = Extract<OrderAction, { kind: "write-parameter" }>;

/** Registers and raw values of an allowed parameter, in the order of their addresses, or why not. */
export function parameterValue(
  profile: DriveProfile,
  { parameter, value }: ParameterWrite,
): readonly (readonly [register: string, raw: number])[] | { readonly trouble: string } {
  const fact = profile.data.parameters[parameter];
  if (!fact) {
    const names = Object.keys(profile.data.parameters).join(", ");
    return { trouble: `${profile.name} has no parameter ${parameter} that may be written (${names})` };
  }
  if (!profile.has(fact.register)) {
    const how = "switch it on under `inferred` in your own copy of the profile";
    return { trouble: `${parameter} needs register ${fact.register}, which ${profile.name} only infers; ${how}` };
  }
  const values = typeof value === "number" ? [value] : value;
  const registers = profile.row(parameter);
  if (values.length !== registers.length) {
    const takes = registers.length === 1 ? "one value" : `${registers.length} values at once`;
    return { trouble: `${parameter} takes ${takes}, and ${values.length} came` };
  }
  const { scale } = profile.fact(fact.register);
  const raws: (readonly [string, number])[] = [];
  for (const [at, register] of registers.entries()) {
    const one = values[at] ?? 0;
    const name = values.length === 1 ? parameter : `${parameter}[${at}]`;
    if (one < fact.min || one > fact.max) return { trouble: `${name} ${one} is outside ${fact.min} to ${fact.max}` };
    const raw = Math.round(one / scale);
    if (Math.abs(one / scale - raw) > 1e-6)
      return { trouble: `${name} ${one} is not a whole number of steps of ${scale}` };
    raws.push([register, raw]);
  }
  return raws;
}

/** Whether the drive holds what was wanted: the first register that does not, or undefined. */
export const unlike = (found: Values, wanted: readonly (readonly [string, number])[]) =>
  wanted.find(([register, raw]) => found.get(register) !== raw);

/** Compares, writes once if different, reads back. Spares the drive's memory and proves the value. */
export async function writeParameter(
  profile: DriveProfile,
  action: ParameterWrite,
  talk: DriveTalk,
  acknowledged: () => void,
): Promise<void> {
  const wanted = parameterValue(profile, action);
  if ("trouble" in wanted) throw new HandshakeError("unsupported", { ...action }, wanted.trouble);
  const registers = wanted.map(([register]) => register);
  if (unlike(await talk.read(...registers), wanted)) await talk.write(wanted, "decisive");
  acknowledged();
  const values = await talk.read(...registers);
  const wrong = unlike(values, wanted);
  if (!wrong) return;
  const [register, raw] = wrong;
  const found = values.get(register);
  throw new HandshakeError(
    "no-response",
    { register, raw, found },
    `${action.parameter} reads back ${found} where ${raw} was written`,
  );
}
