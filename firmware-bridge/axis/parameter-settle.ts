import { type ParameterWrite, parameterValue, unlike } from "../handshake/write-parameter.ts";
import { LinkError } from "../link/link.ts";
import type { AxisParts } from "./axis-parts.ts";
import { DriveSession, SessionEnded } from "./drive-session.ts";

/** Reads a parameter whose write went without answer; false while that cannot be proven. */
export async function parameterApplied(parts: AxisParts, action: ParameterWrite): Promise<boolean> {
  const { link, config, drive, clock } = parts;
  const wanted = parameterValue(drive.profile, action);
  if ("trouble" in wanted) return false;
  const session = new DriveSession(link, config.unit, drive.profile, clock, { class: "confirm", readClass: "confirm" });
  try {
    return unlike(await session.read(...wanted.map(([register]) => register)), wanted) === undefined;
  } catch (error) {
    if (error instanceof LinkError || error instanceof SessionEnded) return false;
    throw error;
  }
}
