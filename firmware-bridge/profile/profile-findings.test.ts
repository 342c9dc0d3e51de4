import { expect, test } from "vitest";
import { checkProfile } from "./check-profile.ts";
import { loadProfile, shippedProfiles } from "./load-profile.ts";
import { profileAbilities } from "./profile-abilities.ts";
import { profileFindings } from "./profile-findings.ts";
import type { ProfileData } from "./profile-schema.ts";

type Editable = { -readonly [K in keyof ProfileData]: ProfileData[K] } & Record<string, Record<string, object>>;

function findings(change: (profile: Editable) => void, name = "oriental-az") {
  const profile = structuredClone(loadProfile(name).data) as unknown as Editable;
  change(profile);
  return profileFindings(profile);
}

test.each(shippedProfiles().map((name) => ({ name })))("$name has nothing to complain about", ({ name }) => {
  expect(profileFindings(loadProfile(name).data).complaints).toEqual([]);
});

test("registers that overlap are named with both addresses; objects at their index are only remarked", () => {
  const move = (profile: Editable) => Object.assign(profile.registers["directSpeed"] ?? {}, { address: "0x005D" });
  expect(findings(move).complaints).toMatchObject([
    { path: "registers.directSpeed.address", found: expect.stringContaining("inside directPosition (0x005C") },
  ]);
  const byIndex = profileFindings(loadProfile("mitsubishi-mr-je-c").data);
  expect(byIndex.remarks.some((text) => text.includes("usual where addresses are object indexes"))).toBe(true);
});

test("a register that the handshake needs must not be one that is only inferred", () => {
  const doubt = (profile: Editable) =>
    Object.assign(profile.registers["driverOutput"] ?? {}, { inferred: "torqueUnit" });
  expect(findings(doubt).complaints).toMatchObject([{ path: "registers.driverOutput.inferred" }]);
});

test("a fault without a name or a remedy is refused: it would help nobody at the machine", () => {
  const bare = (profile: Editable) =>
    Object.assign(profile.faults, { "0x0077": { name: "?", remedy: "-", clear: "reset" } });
  expect(findings(bare).complaints.map(({ path }) => path)).toEqual(["faults.0x0077.name", "faults.0x0077.remedy"]);
});

test("an inferred fact that nothing reaches is remarked, with the name that was probably meant", () => {
  const typo = (profile: Editable) =>
    Object.assign(profile.inferred, { inPositon: { enabled: true, what: "x", source: "y" } });
  expect(findings(typo).remarks).toContainEqual(expect.stringContaining("did you mean inPosition?"));
});

test("a parameter must be readable and have a range", () => {
  const locked = (profile: Editable) =>
    Object.assign(profile.parameters, { warning: { register: "warning", min: 5, max: 1 } });
  expect(findings(locked).complaints.map(({ path }) => path)).toEqual([
    "parameters.warning.register",
    "parameters.warning.min",
  ]);
});

test("the bus time falls with the speed, and what needs leave is said", () => {
  const { bus, velocityMovesByDefault, homingMethods, notBelieved } = profileAbilities(loadProfile("oriental-az").data);
  expect(bus.map(({ passMs }) => passMs)).toEqual([...bus.map(({ passMs }) => passMs)].sort((a, b) => b - a));
  expect({ velocityMovesByDefault, homingMethods }).toEqual({ velocityMovesByDefault: false, homingMethods: [-1] });
  expect(notBelieved).toContain("ready");
});

test("a block longer than one read and a name that does not exist are told together", () => {
  const profile = structuredClone(loadProfile("oriental-az").data) as unknown as Editable;
  Object.assign(profile, { registersMax: 10 });
  Object.assign(profile.plan, { order: [["driverOutptu"]] });
  const paths = checkProfile(profile).complaints.map(({ path, nearest }) => [path, nearest]);
  expect(paths).toContainEqual(["plan.order[0]", "driverOutput"]);
  expect(paths).toContainEqual(["plan.status[1]", undefined]);
});
