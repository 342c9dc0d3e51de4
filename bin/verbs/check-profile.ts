import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { UsageError } from "../exit.ts";
import type { Output } from "./output.ts";

/** `profile check FILE`: every complaint at once, or what the profile says of itself. The loader's error carries the words. */
export async function checkProfileFile(file: string, out: Output): Promise<number> {
  if (!isReadable(file))
    throw new UsageError(`${file} cannot be read`, { file }, "name a profile file, as firmware-bridge/profiles/*.json");
  const { data } = loadProfile(resolve(file));
  out.show(
    { file, valid: true, name: data.name, title: data.title },
    () => `${file}: good. ${data.title} (${data.name})`,
  );
  return 0;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
