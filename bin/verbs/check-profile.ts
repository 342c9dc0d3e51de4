import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import type { Output } from "./output.ts";

/** `profile check FILE`: every complaint at once, or what the profile says of itself. The loader's error carries the words. */
export async function checkProfileFile(file: string, out: Output): Promise<number> {
  readFileSync(file);
  const { data } = loadProfile(resolve(file));
  out.show(
    { file, valid: true, name: data.name, title: data.title },
    () => `${file}: good. ${data.title} (${data.name})`,
  );
  return 0;
}
