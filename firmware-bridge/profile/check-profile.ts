import { nearestSpelling } from "@servofleet/runtime/nearest-spelling";
import { type Complaint, checkDocument } from "@servofleet/runtime/schema-complaints";
import Type from "typebox";
import { REQUIRED_REGISTERS } from "../handshake/required-registers.ts";
import { PROFILE_HEAD, type ProfileData, TABLES } from "./profile-schema.ts";
import { bytesOf, signBitOf } from "./register-words.ts";
import { rowMisfits } from "./row-misfits.ts";

const HeadSchema = Type.Object(PROFILE_HEAD);
const TABLE_NAMES = Object.keys(TABLES) as (keyof typeof TABLES)[];
const KEYS: Readonly<Record<keyof typeof TABLES, RegExp>> = {
  registers: /^[a-z][A-Za-z0-9]{0,47}$/,
  faults: /^0x[0-9A-Fa-f]{4}$/,
  parameters: /^[a-z][A-Za-z0-9]{0,47}$/,
  inferred: /^[a-z][A-Za-z0-9]{0,47}$/,
  homingMethods: /^-?[0-9]{1,3}$/,
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Checks the content of a profile file: shape first, then whether its parts fit each other. All complaints at once. */
export function checkProfile(value: unknown): { profile: ProfileData | null; complaints: readonly Complaint[] } {
  if (!isObject(value)) {
    const found = value === undefined ? "nothing" : typeof value;
    return { profile: null, complaints: [{ path: "", found, allowed: "a JSON object", nearest: undefined }] };
  }
  const complaints: Complaint[] = [];
  const { $schema: _, ...given } = value;
  const head = Object.fromEntries(Object.entries(given).filter(([key]) => !TABLE_NAMES.some((name) => name === key)));
  const checked = checkDocument(HeadSchema, head);
  complaints.push(...checked.complaints);
  const tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, checkTable(name, given[name], complaints)]));
  const profile = { ...(checked.value as object), ...tables } as unknown as ProfileData;
  if (complaints.length === 0) complaints.push(...misfits(profile));
  return complaints.length > 0 ? { profile: null, complaints } : { profile, complaints };
}

function checkTable(name: keyof typeof TABLES, given: unknown, out: Complaint[]): Record<string, unknown> {
  if (!isObject(given)) {
    out.push({
      path: name,
      found: given === undefined ? "nothing" : typeof given,
      allowed: "a mapping",
      nearest: undefined,
    });
    return {};
  }
  const result: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(given)) {
    if (!KEYS[name].test(key)) {
      out.push({
        path: `${name}.${key}`,
        found: "this name",
        allowed: `names matching ${KEYS[name].source}`,
        nearest: undefined,
      });
    }
    const { value, complaints } = checkDocument(TABLES[name], entry);
    out.push(
      ...complaints.map((one) => ({ ...one, path: one.path === "" ? `${name}.${key}` : `${name}.${key}.${one.path}` })),
    );
    result[key] = value;
  }
  return result;
}

function misfits(profile: ProfileData): Complaint[] {
  const out: Complaint[] = [];
  const names = Object.keys(profile.registers);
  const known = (path: string, name: string) => {
    if (!names.includes(name)) {
      out.push({
        path,
        found: JSON.stringify(name),
        allowed: "a register of this profile",
        nearest: nearestSpelling(name, names),
      });
    }
  };
  known("identity.register", profile.identity.register);
  if (profile.countsPerRevolution) known("countsPerRevolution.register", profile.countsPerRevolution.register);
  for (const [name, fact] of Object.entries(profile.parameters)) known(`parameters.${name}.register`, fact.register);
  for (const name of REQUIRED_REGISTERS[profile.handshake]) {
    if (names.includes(name)) continue;
    const allowed = `register ${name}: handshake ${profile.handshake} needs it`;
    out.push({ path: `registers.${name}`, found: "nothing", allowed, nearest: nearestSpelling(name, names) });
  }
  out.push(...registerMisfits(profile), ...rowMisfits(profile), ...planMisfits(profile, known));
  if (profile.handshake === "register-servo") out.push(...servoMisfits(profile, known));
  if (profile.telegram === "objects") out.push(...objectMisfits(profile));
  else if (profile.telegram === "bytes") out.push(...byteMisfits(profile));
  else if (!profile.functions.includes(3) || !(profile.functions.includes(6) || profile.functions.includes(16))) {
    const allowed = "3 (read) and one of 6 and 16 (write)";
    out.push({ path: "functions", found: profile.functions.join(", "), allowed, nearest: undefined });
  }
  if (profile.motion.velocity.unit === "rpm" && !profile.countsPerRevolution) {
    const allowed = "a register: velocities in rpm need it";
    out.push({ path: "countsPerRevolution", found: "nothing", allowed, nearest: undefined });
  }
  return out;
}

/** Objects are asked for one at a time by function 43, low byte first. */
function objectMisfits({ functions, wordOrder, plan }: ProfileData): Complaint[] {
  const out: Complaint[] = [];
  const wrong = (path: string, found: string, allowed: string) =>
    out.push({ path, found, allowed, nearest: undefined });
  if (!functions.includes(43)) wrong("functions", functions.join(", "), "43 (object telegrams)");
  if (wordOrder !== "low-first") wrong("wordOrder", wordOrder, "low-first: object data come low byte first");
  for (const [part, blocks] of Object.entries(plan)) {
    for (const [n, block] of blocks.entries()) {
      if (block.length > 1) wrong(`plan.${part}[${n}]`, `${block.length} objects`, "one object in each block");
    }
  }
  return out;
}

/** A servo bus knows neither Modbus functions nor registers of 16 bits. */
function byteMisfits({ functions }: ProfileData): Complaint[] {
  if (functions.includes(2) && functions.includes(3)) return [];
  const allowed = "2 (read) and 3 (write), instructions of a servo bus";
  return [{ path: "functions", found: functions.join(", "), allowed, nearest: undefined }];
}

function servoMisfits(profile: ProfileData, known: (path: string, name: string) => void): Complaint[] {
  const { servo, motion } = profile;
  const wrong = (path: string, found: string, allowed: string) => ({ path, found, allowed, nearest: undefined });
  if (!servo) return [wrong("servo", "nothing", "how the servo is spoken to: handshake register-servo needs it")];
  for (const [n, block] of servo.motion.entries()) for (const name of block) known(`servo.motion[${n}]`, name);
  for (const [n, { register }] of servo.expects.entries()) known(`servo.expects[${n}].register`, register);
  for (const part of ["moving", "inPosition", "fault", "reset", "watchdog"] as const) {
    const register = servo[part]?.register;
    if (register !== undefined) known(`servo.${part}.register`, register);
  }
  const out: Complaint[] = [];
  if (!servo.motion.at(-1)?.includes("goalPosition"))
    out.push(
      wrong("servo.motion", "a last write without goalPosition", "goalPosition in the write that starts a move"),
    );
  for (const part of ["velocity", "ramp"] as const) {
    const { unit } = motion[part];
    if (!unit.startsWith("counts/")) out.push(wrong(`motion.${part}.unit`, unit, "counts/s and counts/s2 for a servo"));
  }
  return out;
}

function registerMisfits(profile: ProfileData): Complaint[] {
  const out: Complaint[] = [];
  for (const [name, fact] of Object.entries(profile.registers)) {
    const bytes = bytesOf(fact.type);
    const words = profile.telegram === "bytes" ? bytes : Math.ceil(bytes / 2);
    const path = `registers.${name}`;
    if (fact.words !== words) {
      out.push({
        path: `${path}.words`,
        found: String(fact.words),
        allowed: `${words} for ${fact.type}`,
        nearest: undefined,
      });
    }
    if (signBitOf(fact.type) !== undefined && profile.telegram !== "bytes") {
      const allowed = "a type of Modbus registers; sign and magnitude only where telegram is bytes";
      out.push({ path: `${path}.type`, found: fact.type, allowed, nearest: undefined });
    }
    if (fact.inferred !== undefined && !(fact.inferred in profile.inferred)) {
      const nearest = nearestSpelling(fact.inferred, Object.keys(profile.inferred));
      out.push({ path: `${path}.inferred`, found: fact.inferred, allowed: "a name under inferred", nearest });
    }
  }
  return out;
}

function planMisfits(profile: ProfileData, known: (path: string, name: string) => void): Complaint[] {
  const out: Complaint[] = [];
  for (const [part, blocks] of Object.entries(profile.plan)) {
    for (const [n, block] of blocks.entries()) {
      const path = `plan.${part}[${n}]`;
      for (const name of block) known(path, name);
      const facts = block.flatMap((name) => profile.registers[name] ?? []);
      const from = Math.min(...facts.map((fact) => Number(fact.address)));
      const registers = Math.max(...facts.map((fact) => Number(fact.address) + fact.words)) - from;
      if (registers > profile.registersMax) {
        out.push({
          path,
          found: `${registers} registers`,
          allowed: `at most ${profile.registersMax} in one read`,
          nearest: undefined,
        });
      }
      if (facts.some((fact) => fact.access === "wo")) {
        out.push({ path, found: "a write-only register", allowed: "registers that can be read", nearest: undefined });
      }
    }
  }
  if (profile.plan.status.length === 0) {
    out.push({
      path: "plan.status",
      found: "no block",
      allowed: "at least the status and the position",
      nearest: undefined,
    });
  }
  return out;
}
