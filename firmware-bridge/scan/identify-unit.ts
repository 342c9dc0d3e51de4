import type { LinkConfig } from "@servofleet/contracts";
import type { DriveProfile } from "../profile/drive-profile.ts";
import type { ReadRequest, ScanTalk } from "./scan-talk.ts";

/** A profile that fits what a unit answers. */
export interface ProfileMatch {
  readonly profile: string;
  /** What the identity register read, raw. */
  readonly identity: number;
  /** The identity register holds one value only, so this is the drive; otherwise it may be. */
  readonly certain: boolean;
}

/** Whether drives of a profile can be on a link of this kind: servo buses are read by bytes, Modbus by registers or objects. */
export const speaks = ({ data }: DriveProfile, kind: LinkConfig["kind"]): boolean =>
  (data.telegram === "bytes") === (kind === "dynamixel" || kind === "feetech");

/**
 * The profiles whose identity register and whose status blocks a unit answers as they should, the most telling first:
 * a register that may hold one value says more than one that may hold many.
 */
export async function identifyUnit(
  talk: ScanTalk,
  unit: number,
  profiles: readonly DriveProfile[],
): Promise<readonly ProfileMatch[]> {
  const answers = new Map<string, Promise<readonly number[] | null>>();
  const read = (profile: DriveProfile, names: readonly string[]) => {
    const request = profile.read(...names) as ReadRequest;
    const key = JSON.stringify(request);
    const answer = answers.get(key) ?? talk.read(unit, request);
    answers.set(key, answer);
    return answer;
  };
  const found: { match: ProfileMatch; width: number }[] = [];
  for (const profile of profiles) {
    const { register, min, max } = profile.data.identity;
    const registers = await read(profile, [register]);
    const identity = registers ? profile.values([register], registers).get(register) : undefined;
    if (identity === undefined || identity < min || identity > max) continue;
    let answered = true;
    for (const block of profile.data.plan.status) answered &&= (await read(profile, block)) !== null;
    if (answered) found.push({ match: { profile: profile.name, identity, certain: min === max }, width: max - min });
  }
  return found.sort((a, b) => a.width - b.width).map(({ match }) => match);
}
