import { type AxisAbilities, type AxisConfig, COMMAND_TYPES, type CommandType } from "@servofleet/contracts";
import type { DriveProfile } from "../profile/drive-profile.ts";

/**
 * What the profile lets an axis do, so that the controller never reads profiles. Pure. A watchdog counts only while it
 * was read back as set (`armed`): what depends on it is refused until then.
 */
export function axisAbilities(
  config: AxisConfig,
  { data }: DriveProfile,
  armed: boolean | null | undefined,
): AxisAbilities {
  const parameters = Object.keys(data.parameters);
  const can = (type: CommandType): boolean => {
    if (type === "WriteParameter") return parameters.length > 0;
    if (type === "Home") return Object.keys(data.homingMethods).length > 0;
    return true;
  };
  return {
    axis: config.id,
    profile: data.name,
    commands: COMMAND_TYPES.filter(can),
    parameters,
    commLoss: commLoss(data, armed),
    positionWindowCounts: data.settle.positionWindowCounts,
  };
}

function commLoss({ commLoss }: DriveProfile["data"], armed: boolean | null | undefined): AxisAbilities["commLoss"] {
  const { supported, reaction, where } = commLoss;
  if (!supported || armed === undefined) return { supported, reaction };
  if (armed) return { supported, reaction: `${reaction} (read back as set)` };
  const words = armed === null ? "not read yet" : "reads back as not set; Disable, then Enable sets it";
  return { supported: false, reaction: `the watchdog of the drive (${where ?? "see its profile"}) ${words}` };
}
