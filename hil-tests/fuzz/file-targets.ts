import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "@servofleet/runtime/clock";
import { FleetFileError, parseFleet } from "@servofleet/runtime/fleet-file";
import { parse, stringify } from "yaml";
import { checkProfile } from "../../firmware-bridge/profile/check-profile.ts";
import { DriveProfile } from "../../firmware-bridge/profile/drive-profile.ts";
import { shippedProfiles } from "../../firmware-bridge/profile/load-profile.ts";
import { demoFleet, demoLinks } from "../demo/demo-fleet.ts";
import { parseLinks } from "../sim/links-file.ts";
import { SimError } from "../sim/sim-error.ts";
import { between, type FuzzTarget, must } from "./fuzz-target.ts";
import { mutate } from "./mutate.ts";

/** A whole file costs a thousand times what a frame does. */
const FILE_SHARE = 0.02;
const PROFILES = join(import.meta.dirname, "..", "..", "firmware-bridge", "profiles");

const seeds = (): readonly string[] =>
  shippedProfiles().map((name) => readFileSync(join(PROFILES, `${name}.json`), "utf8"));

/** Bytes of a file go through UTF-8 as they do when it is read. */
const damaged = (random: Random, text: string): string =>
  (between(random, 0, 1) ? mutate(random, Buffer.from(text)) : Buffer.from(respelt(random, text))).toString("utf8");

/** Most damage to bytes ends at the first bracket; a changed word or number goes deeper. */
function respelt(random: Random, text: string): string {
  const words = [...text.matchAll(/[A-Za-z]+|-?\d+(?:\.\d+)?/g)];
  const word = words[between(random, 0, words.length - 1)];
  if (!word) return text;
  const instead = ["0", "-1", "1e308", "65536", "null", "true", "{}", "[]", '""', "nan", "x"];
  return (
    text.slice(0, word.index) +
    instead[between(random, 0, instead.length - 1)] +
    text.slice(word.index + word[0].length)
  );
}

/** Refused with complaints, or a profile that can be used as it is: every register has words and a place. */
function profileTarget(): FuzzTarget {
  const texts = seeds();
  const run = (random: Random): void => {
    const text = damaged(random, texts[between(random, 0, texts.length - 1)] ?? "{}");
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    const { profile, complaints } = checkProfile(value);
    must((profile === null) === complaints.length > 0, "neither refused nor taken", () => ({ complaints, text }));
    if (!profile) return;
    const { data } = new DriveProfile(profile);
    must(
      checkProfile(JSON.parse(JSON.stringify(data))).complaints.length === 0,
      "taken once and refused twice",
      () => ({ text }),
    );
  };
  return { name: "profile-file", share: FILE_SHARE, run };
}

/** Refused by name, or a configuration that is the same when written out and read again. */
function fleetTarget(): FuzzTarget {
  const text = stringify({ ...demoFleet("/nowhere", { cell_1: 15_021, cell_2: 15_022 }), data: "./data" });
  const read = (given: string) => parseFleet(given, "/nowhere/fleet.yaml");
  const run = (random: Random): void => {
    const given = damaged(random, text);
    let config: ReturnType<typeof read>;
    try {
      config = read(given);
    } catch (error) {
      if (error instanceof FleetFileError) return;
      throw error;
    }
    const again = read(stringify(config));
    must(JSON.stringify(again) === JSON.stringify(config), "read twice, understood twice", () => ({ given }));
    for (const { id, limits } of config.axes)
      must(limits.min < limits.max && Number.isFinite(limits.velocity), "an axis without sound limits", () => ({
        id,
        limits,
      }));
  };
  return { name: "fleet-file", share: FILE_SHARE, run };
}

function linksTarget(): FuzzTarget {
  const text = stringify(demoLinks("/nowhere"));
  const run = (random: Random): void => {
    const given = damaged(random, text);
    let raw: unknown;
    try {
      raw = parse(given);
    } catch {
      // What the YAML library refuses, readLinksFile refuses with its own words.
      return;
    }
    try {
      const { links } = parseLinks(raw, "links.yaml");
      must(links.length > 0 && links.every((link) => link.drives.length > 0), "a link without drives", () => ({
        given,
      }));
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
    }
  };
  return { name: "links-file", share: FILE_SHARE, run };
}

export const FILE_TARGETS: readonly FuzzTarget[] = [profileTarget(), fleetTarget(), linksTarget()];
