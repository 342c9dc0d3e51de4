import { readFileSync } from "node:fs";
import { checkProfile } from "@servofleet/firmware-bridge/profile/check-profile";
import { type ProfileAbilities, profileAbilities } from "@servofleet/firmware-bridge/profile/profile-abilities";
import { ProfileError } from "@servofleet/firmware-bridge/profile/profile-error";
import { profileFindings } from "@servofleet/firmware-bridge/profile/profile-findings";
import type { ProfileData } from "@servofleet/firmware-bridge/profile/profile-schema";
import { DONE, UsageError } from "../exit.ts";
import { figure, type Output, table } from "./output.ts";

/** `profile check FILE`: every complaint at once with exit code 1, or what the profile can do, what it costs, what it only believes. */
export async function checkProfileFile(file: string, out: Output): Promise<number> {
  const { profile, complaints } = checkProfile(parsed(file));
  const findings = profile ? profileFindings(profile) : { complaints: [], remarks: [] };
  const all = [...complaints, ...findings.complaints];
  if (!profile || all.length > 0) {
    const things = all.length === 1 ? "1 thing is" : `${all.length} things are`;
    throw new ProfileError("not-valid", file, `${things} wrong; correct what is named and check again`, all);
  }
  const abilities = profileAbilities(profile);
  const { name, title, handshake } = profile;
  const document = { file, valid: true, name, title, handshake, remarks: findings.remarks, ...abilities };
  out.show(document, () => good(file, profile, abilities, findings.remarks));
  return DONE;
}

function parsed(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? "unknown";
    const hint = "name a profile file, as firmware-bridge/profiles/*.json";
    throw new UsageError(`${file} cannot be read (${cause})`, { file, cause }, hint);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new ProfileError("not-json", file, `is not JSON: ${what}; comments and a comma before } are not JSON`);
  }
}

function good(file: string, profile: ProfileData, abilities: ProfileAbilities, remarks: readonly string[]): string {
  const { commLoss, bus } = abilities;
  const list = (items: readonly (string | number)[]) => items.join(", ") || "none";
  const rows = bus.map((one) => [
    String(one.baud),
    figure(one.passMs, "ms"),
    `${Math.round(one.idleLoad * 1000) / 10} %`,
    figure(one.stopBoundMs, "ms"),
  ]);
  return [
    `${file}: good. ${profile.title} (${profile.name}, handshake ${profile.handshake})`,
    "",
    `homing methods      ${list(abilities.homingMethods)}${abilities.homeOffset ? ", with offset" : ", without offset"}`,
    `parameters          ${list(abilities.parameters)}`,
    `faults with remedy  ${abilities.faults}`,
    `a silent master     ${commLoss.reaction}`,
    `MoveVelocity        ${abilities.velocityMovesByDefault ? "allowed" : "only with allowUnboundedMoves: true"}`,
    `inferred, on        ${list(abilities.believed)}`,
    `inferred, off       ${list(abilities.notBelieved)}`,
    ...(rows.length > 0 ? ["", table(["BAUD", "ONE PASS", "LOAD AT 200 ms", "STOP AFTER AT MOST"], rows)] : []),
    ...noted(remarks),
  ].join("\n");
}

const noted = (remarks: readonly string[]): readonly string[] =>
  remarks.length === 0 ? [] : ["", ...remarks.map((text) => `note: ${text}`)];
