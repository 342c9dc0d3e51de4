import { readdirSync, readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { nearestSpelling } from "@servofleet/runtime/nearest-spelling";
import { checkProfile } from "./check-profile.ts";
import { DriveProfile } from "./drive-profile.ts";
import { ProfileError } from "./profile-error.ts";

const SHIPPED = join(import.meta.dirname, "..", "profiles");
const isPath = (name: string): boolean => name.includes("/") || name.endsWith(".json");

/** Names of the profiles that ship. */
export const shippedProfiles = (): readonly string[] =>
  readdirSync(SHIPPED)
    .filter((file) => file.endsWith(".json") && file !== "profile.schema.json")
    .map((file) => file.slice(0, -".json".length))
    .sort();

/**
 * Loads a profile by its shipped name, or from a file of yours (a path; relative to `directory`, default the working
 * directory).
 * @throws ProfileError with every complaint at once
 */
export function loadProfile(nameOrPath: string, directory = process.cwd()): DriveProfile {
  const file = isPath(nameOrPath)
    ? isAbsolute(nameOrPath)
      ? nameOrPath
      : resolve(directory, nameOrPath)
    : join(SHIPPED, `${nameOrPath}.json`);
  if (!isPath(nameOrPath) && !shippedProfiles().includes(nameOrPath)) throw unknownName(nameOrPath);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new ProfileError("unreadable", nameOrPath, `${file} cannot be read (${cause})`);
  }
  const { profile, complaints } = checkProfile(parse(text, nameOrPath));
  if (!profile) {
    const things = complaints.length === 1 ? "1 thing is" : `${complaints.length} things are`;
    throw new ProfileError("not-valid", nameOrPath, `${things} wrong; nothing was started`, complaints);
  }
  return new DriveProfile(profile);
}

function unknownName(name: string): ProfileError {
  const names = shippedProfiles();
  const nearest = nearestSpelling(name, names);
  const meant = nearest ? `; did you mean ${nearest}?` : "";
  return new ProfileError(
    "not-found",
    name,
    `no such profile ships (${names.join(", ")})${meant}; or give a path to your own`,
  );
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProfileError("not-json", name, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
