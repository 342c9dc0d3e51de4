import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { checkProfile } from "./check-profile.ts";
import { loadProfile, shippedProfiles } from "./load-profile.ts";
import { ProfileError } from "./profile-error.ts";
import { ProfileSchema } from "./profile-schema.ts";

const folder = join(import.meta.dirname, "..", "profiles");
const raw = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
const temporary: string[] = [];
afterEach(() => {
  for (const path of temporary.splice(0)) rmSync(path, { recursive: true });
});
const complaint = (change: (profile: Record<string, Record<string, never>>) => void) => {
  const profile = raw("leadshine-icl-rs");
  change(profile as never);
  return checkProfile(profile).complaints;
};
function failureOf(load: () => unknown): ProfileError {
  try {
    load();
  } catch (error) {
    if (error instanceof ProfileError) return error;
    throw error;
  }
  throw new Error("it loaded");
}

test("every shipped profile loads, and its name is its file's", () => {
  expect(shippedProfiles()).toEqual(expect.arrayContaining(["leadshine-icl-rs", "mitsubishi-mr-je-c"]));
  for (const name of shippedProfiles()) expect(loadProfile(name).name).toBe(name);
});

test("the shipped JSON Schema is the one the loader checks against", () => {
  const { $schema: _, ...shipped } = JSON.parse(readFileSync(join(folder, "profile.schema.json"), "utf8"));
  expect(shipped).toEqual(JSON.parse(JSON.stringify(ProfileSchema)));
});

test("every fact of the register map names its source", () => {
  for (const name of shippedProfiles()) {
    for (const fact of Object.values(loadProfile(name).data.registers)) expect(fact.source).toMatch(/\[[MCFI]\]/);
  }
});

test("a misspelt profile name is answered with the nearest one", () => {
  expect(failureOf(() => loadProfile("leadshine-icl-r")).message).toContain("did you mean leadshine-icl-rs?");
});

test("a profile of your own loads from its path, relative to the directory given", () => {
  const directory = mkdtempSync(join(tmpdir(), "profile-"));
  temporary.push(directory);
  writeFileSync(join(directory, "mine.json"), JSON.stringify({ ...raw("leadshine-icl-rs"), name: "mine" }));
  expect(loadProfile("./mine.json", directory).name).toBe("mine");
  expect(failureOf(() => loadProfile("./other.json", directory))).toMatchObject({ code: "unreadable" });
  writeFileSync(join(directory, "broken.json"), "{");
  expect(failureOf(() => loadProfile("./broken.json", directory))).toMatchObject({ code: "not-json" });
});

test("all mistakes are told at once, each with path, found, allowed and the nearest spelling", () => {
  const complaints = complaint((profile) => {
    Object.assign(profile, { handshake: "path-tabel", wordOrder: "sideways", speed: 1 });
    Object.assign(profile["registers"] ?? {}, {
      status: { address: "1003", type: "u16", words: 1, access: "ro", source: "x" },
    });
  });
  expect(complaints.map(({ path }) => path).sort()).toEqual([
    "handshake",
    "registers.status.address",
    "speed",
    "wordOrder",
  ]);
  expect(complaints.find(({ path }) => path === "handshake")).toMatchObject({
    found: '"path-tabel"',
    nearest: "path-table",
  });
});

test("parts that do not fit each other are refused by name", () => {
  const identity = complaint((profile) => Object.assign(profile["identity"] ?? {}, { register: "countsPerRevolutio" }));
  expect(identity).toMatchObject([{ path: "identity.register", nearest: "countsPerRevolution" }]);
  const missing = complaint((profile) => void Reflect.deleteProperty(profile["registers"] ?? {}, "trigger"));
  expect(missing).toContainEqual(expect.objectContaining({ path: "registers.trigger", found: "nothing" }));
  const words = complaint((profile) => Object.assign(profile["registers"]?.["alarm"] ?? {}, { words: 2 }));
  expect(words).toMatchObject([{ path: "registers.alarm.words", allowed: "1 for u16" }]);
  const blind = complaint((profile) => Object.assign(profile["plan"] ?? {}, { fault: [["reset"]] }));
  expect(blind).toMatchObject([{ path: "plan.fault[0]", found: "a write-only register" }]);
  const long = complaint((profile) => Object.assign(profile["plan"] ?? {}, { order: [["status", "trigger"]] }));
  expect(long).toMatchObject([{ path: "plan.order[0]", allowed: "at most 95 in one read" }]);
});

test("what is only inferred does not exist until it is switched on", () => {
  const off = loadProfile("mitsubishi-mr-je-c");
  expect(off.has("homeOffset")).toBe(false);
  const profile = raw("mitsubishi-mr-je-c");
  Object.assign((profile["inferred"] as Record<string, object>)["homeOffset"] ?? {}, { enabled: true });
  const directory = mkdtempSync(join(tmpdir(), "profile-"));
  temporary.push(directory);
  writeFileSync(join(directory, "on.json"), JSON.stringify(profile));
  expect(loadProfile("./on.json", directory).has("homeOffset")).toBe(true);
});
