import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type LinkConfig, LinkConfigSchema } from "@servofleet/contracts";
import type { DriveProfile } from "@servofleet/firmware-bridge/profile/drive-profile";
import { loadProfile, shippedProfiles } from "@servofleet/firmware-bridge/profile/load-profile";
import { FleetFileError } from "@servofleet/runtime/fleet-file";
import { nearestSpelling } from "@servofleet/runtime/nearest-spelling";
import { checkDocument } from "@servofleet/runtime/schema-complaints";
import { parse } from "yaml";
import { UsageError } from "../exit.ts";

/** What a scan needs of fleet.yaml: it is made before there are axes, so the rest of the file need not be there yet. */
export interface ScanFile {
  readonly link: LinkConfig;
  /** Data directory of the box, absolute. */
  readonly data: string;
  /** The shipped profiles and the file's own ones. */
  readonly profiles: readonly DriveProfile[];
  /** How the file names a profile: its own ones by their path. */
  readonly fileOf: (profile: string) => string;
}

type Entry = Readonly<Record<string, unknown>>;

/**
 * Reads one link of the file.
 * @throws UsageError, FleetFileError, ProfileError
 */
export function readScanFile(file: string, id: string, env: Readonly<Record<string, string | undefined>>): ScanFile {
  const raw = parsed(file);
  const links = entries(raw["links"]);
  const names = links.flatMap(({ id: name }) => (typeof name === "string" ? [name] : []));
  const index = names.indexOf(id);
  if (index < 0) {
    const nearest = nearestSpelling(id, names);
    const hint = `links there: ${names.join(", ") || "none"}${nearest ? `; did you mean ${nearest}?` : ""}`;
    throw new UsageError(`${file} has no link ${id}`, { file, link: id }, hint);
  }
  const { value, complaints } = checkDocument(LinkConfigSchema, links[index]);
  if (complaints.length > 0) {
    const placed = complaints.map((one) => ({ ...one, path: `links[${index}]${one.path ? `.${one.path}` : ""}` }));
    throw new FleetFileError("not-valid", file, "the link is not described rightly; nothing was sent", placed);
  }
  const directory = dirname(resolve(file));
  const files = [...new Set([...shippedProfiles(), ...ownProfiles(raw)])];
  const loaded = files.map((name) => ({ name, profile: loadProfile(name, directory) }));
  const data = typeof raw["data"] === "string" ? raw["data"] : "./data";
  return {
    link: value as LinkConfig,
    data: env["SERVOFLEET_DATA"] ? resolve(env["SERVOFLEET_DATA"]) : resolve(directory, data),
    profiles: loaded.map(({ profile }) => profile),
    fileOf: (profile) => loaded.find((one) => one.profile.name === profile)?.name ?? profile,
  };
}

function parsed(file: string): Entry {
  try {
    const document: unknown = parse(readFileSync(file, "utf8"));
    return typeof document === "object" && document !== null ? (document as Entry) : {};
  } catch (error) {
    const hint = "name a fleet.yaml that has the link with --config";
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : error}`, { file }, hint);
  }
}

const entries = (value: unknown): readonly Entry[] =>
  Array.isArray(value) ? value.filter((entry): entry is Entry => typeof entry === "object" && entry !== null) : [];

const ownProfiles = (raw: Entry): readonly string[] =>
  entries(raw["axes"]).flatMap(({ profile }) => (typeof profile === "string" ? [profile] : []));
