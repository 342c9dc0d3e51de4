import { nearestSpelling } from "@servofleet/runtime/nearest-spelling";
import type { Complaint } from "@servofleet/runtime/schema-complaints";
import { REQUIRED_REGISTERS } from "../handshake/required-registers.ts";
import type { ProfileData, RegisterFact } from "./profile-schema.ts";

/** What a profile that loads may still have got wrong (`complaints`), and what its author should know (`remarks`). */
export interface ProfileFindings {
  readonly complaints: readonly Complaint[];
  readonly remarks: readonly string[];
}

/** Behaviours that a handshake asks the profile about by name, beside registers. */
const BEHAVIOURS: Readonly<Record<ProfileData["handshake"], readonly string[]>> = {
  "path-table": [],
  "cia402-registers": ["haltBit"],
  "direct-data": ["ready", "inPosition", "homeEnd", "takesOver"],
  "register-servo": [],
};
/** Registers that a handshake must have named but can do without while they are off. */
const SPARED: ReadonlySet<string> = new Set(["cia402-registers.profileDeceleration"]);
const WITHOUT_NAME = /^(todo|tbd|unknown|fault|error|alarm|-|\?)?$/i;
const REMEDY_MIN_LETTERS = 8;

/** Looks across a checked profile: overlaps, facts that nothing reaches, faults that help nobody. Pure. */
export function profileFindings(profile: ProfileData): ProfileFindings {
  const overlaps = overlapping(profile);
  // CiA 402 objects stand at their index: a 32-bit object and its neighbour share an address without sharing memory.
  const byIndex = profile.handshake === "cia402-registers";
  return {
    complaints: [...(byIndex ? [] : overlaps), ...blindRegisters(profile), ...helplessFaults(profile)],
    remarks: [
      ...(byIndex
        ? overlaps.map(({ path, found }) => `${path}: ${found} (usual where addresses are object indexes)`)
        : []),
      ...unreachedInferred(profile),
      ...(profile.motion.assumption === null ? [] : [`motion: ${profile.motion.assumption}`]),
      ...(Object.keys(profile.faults).length > 0 ? [] : ["faults: no code has a name; every fault shows faultDefault"]),
    ],
  };
}

function overlapping({ registers, telegram }: ProfileData): Complaint[] {
  const end = (fact: RegisterFact) => Number(fact.address) + (telegram === "objects" ? 1 : fact.words);
  const sorted = Object.entries(registers).sort(([, a], [, b]) => Number(a.address) - Number(b.address));
  return sorted.flatMap(([name, fact], n) =>
    sorted.slice(n + 1).flatMap(([other, next]) => {
      const apart = Number(next.address) >= end(fact) || (fact.subindex ?? 0) !== (next.subindex ?? 0);
      if (apart) return [];
      const found = `${next.address}, inside ${name} (${fact.address}, ${fact.words} long)`;
      return [
        { path: `registers.${other}.address`, found, allowed: "registers that do not overlap", nearest: undefined },
      ];
    }),
  );
}

/** What the handshake needs, or the bridge reads at attach, must be believed and readable. */
function blindRegisters(profile: ProfileData): Complaint[] {
  const { registers, inferred, identity, countsPerRevolution } = profile;
  const out: Complaint[] = [];
  const believed = (path: string, name: string) => {
    const fact = registers[name];
    if (fact?.inferred === undefined || inferred[fact.inferred]?.enabled === true) return;
    const found = `${name}, which is only inferred (${fact.inferred}) and off`;
    out.push({ path, found, allowed: "a register that is a fact, or inferred and enabled", nearest: undefined });
  };
  for (const name of REQUIRED_REGISTERS[profile.handshake])
    if (!SPARED.has(`${profile.handshake}.${name}`)) believed(`registers.${name}.inferred`, name);
  believed("identity.register", identity.register);
  if (countsPerRevolution) believed("countsPerRevolution.register", countsPerRevolution.register);
  for (const [name, fact] of Object.entries(profile.parameters)) believed(`parameters.${name}.register`, fact.register);
  for (const [path, name] of [
    ["identity.register", identity.register],
    ["countsPerRevolution.register", countsPerRevolution?.register ?? identity.register],
  ] as const) {
    if (registers[name]?.access === "wo")
      out.push({
        path,
        found: `${name}, which is write-only`,
        allowed: "a register that can be read",
        nearest: undefined,
      });
  }
  return [...out, ...lockedParameters(profile)];
}

function lockedParameters({ parameters, registers }: ProfileData): Complaint[] {
  return Object.entries(parameters).flatMap(([name, { register, min, max }]) => {
    const path = `parameters.${name}`;
    const wrong = (part: string, found: string, allowed: string) => ({
      path: `${path}.${part}`,
      found,
      allowed,
      nearest: undefined,
    });
    return [
      ...(registers[register]?.access === "rw"
        ? []
        : [wrong("register", register, "a register that is rw: it is compared and read back")]),
      ...(min <= max ? [] : [wrong("min", String(min), `at most max (${max})`)]),
    ];
  });
}

function helplessFaults({ faults, faultDefault }: ProfileData): Complaint[] {
  const entries = [...Object.entries(faults).map(([code, fact]) => [`faults.${code}`, fact] as const)];
  const all = [...entries, ["faultDefault", faultDefault] as const];
  const wrong = (path: string, found: string, allowed: string) => ({
    path,
    found: JSON.stringify(found),
    allowed,
    nearest: undefined,
  });
  return all.flatMap(([path, { name, remedy }]) => [
    ...(path !== "faultDefault" && WITHOUT_NAME.test(name.trim())
      ? [wrong(`${path}.name`, name, "what the manual calls it")]
      : []),
    ...(remedy.trim().length < REMEDY_MIN_LETTERS
      ? [wrong(`${path}.remedy`, remedy, "what a person at the machine can do")]
      : []),
  ]);
}

function unreachedInferred({ inferred, registers, handshake }: ProfileData): string[] {
  const asked = new Set([...Object.values(registers).map((fact) => fact.inferred), ...BEHAVIOURS[handshake]]);
  return Object.keys(inferred)
    .filter((name) => !asked.has(name))
    .map((name) => {
      const meant = nearestSpelling(name, BEHAVIOURS[handshake]);
      return `inferred.${name}: no register names it and ${handshake} does not ask for it, so switching it changes nothing${meant ? `; did you mean ${meant}?` : ""}`;
    });
}
