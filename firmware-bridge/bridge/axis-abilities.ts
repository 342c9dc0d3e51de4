import { type AxisAbilities, type AxisConfig, COMMAND_TYPES, type CommandType } from "@servofleet/contracts";
import type { DriveProfile } from "../profile/drive-profile.ts";

/** What the profile lets an axis do, so that the controller never reads profiles. Pure. */
export function axisAbilities(config: AxisConfig, { data }: DriveProfile): AxisAbilities {
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
    commLoss: { supported: data.commLoss.supported, reaction: data.commLoss.reaction },
    positionWindowCounts: data.settle.positionWindowCounts,
  };
}
