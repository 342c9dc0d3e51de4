import type { DriveProfile } from "../profile/drive-profile.ts";
import { type DriveTalk, HandshakeError } from "./drive-talk.ts";

/** Reads who is there. A drive that is not the profile's is read no further and never written. */
export async function verifyIdentity(profile: DriveProfile, talk: DriveTalk): Promise<void> {
  const { register, min, max, means } = profile.data.identity;
  const found = (await talk.read(register)).get(register) ?? 0;
  if (found >= min && found <= max) return;
  const expected = min === max ? String(min) : `${min} to ${max}`;
  throw new HandshakeError(
    "wrong-drive",
    { register, found, expected },
    `the unit is not a ${profile.name}: ${register} reads ${found}, expected ${expected} (${means})`,
  );
}
