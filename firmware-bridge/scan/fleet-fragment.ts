import type { LinkConfig } from "@servofleet/contracts";
import type { DriveProfile } from "../profile/drive-profile.ts";
import type { FoundUnit } from "./scan-line.ts";
import { type LineSetting, settingWords } from "./scan-plan.ts";

/** One count of room and one count/s: it passes `check`, and nothing worth the name moves until a person has filled it in. */
const LIMITS = "{ min: 0, max: 1, velocity: 1, acceleration: 1 }";
/** CiA 402: negative limit switch. */
const USUAL_METHOD = "17";

/**
 * The part of fleet.yaml that says what was found: the link at the setting at which most units answered, and one axis for
 * each of them; `fileOf` is how the file names a profile. Units at other settings, and units that no profile fits, are comments.
 */
export function fleetFragment(
  link: LinkConfig,
  found: readonly FoundUnit[],
  profiles: readonly DriveProfile[],
  fileOf: (profile: string) => string = (profile) => profile,
): string {
  const setting = commonSetting(found);
  const here = found.filter((one) => settingWords(one.setting) === settingWords(setting));
  const elsewhere = found.filter((one) => !here.includes(one));
  const lines = [
    "links:",
    `  - ${flow(linkFields(link, setting))}`,
    ...(here.some((one) => one.matches.length > 0) ? ["axes:"] : ["# axes: no unit that a profile fits"]),
    ...here.flatMap((one) => axisLines(link, one, profiles, fileOf)),
    ...elsewhere.map(
      (one) => `# unit ${one.unit} answers at ${settingWords(one.setting)}: set it to the line's speed first`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function commonSetting(found: readonly FoundUnit[]): LineSetting | null {
  const counts = new Map<string, number>();
  for (const { setting } of found) counts.set(settingWords(setting), (counts.get(settingWords(setting)) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  return found.find(({ setting }) => counts.get(settingWords(setting)) === most)?.setting ?? null;
}

function linkFields(link: LinkConfig, setting: LineSetting | null): Readonly<Record<string, unknown>> {
  if (link.kind === "modbus-rtu") return { ...link, ...setting };
  return setting && "baud" in link ? { ...link, baud: setting.baud } : { ...link };
}

function axisLines(
  link: LinkConfig,
  one: FoundUnit,
  profiles: readonly DriveProfile[],
  fileOf: (profile: string) => string,
): readonly string[] {
  const [first, ...others] = one.matches;
  if (!first) {
    const told = [one.model === null ? null : `model ${one.model}`, one.device?.vendor, one.device?.product];
    return [
      `  # unit ${one.unit} answers, but no profile fits (${told.filter(Boolean).join(" ") || "it says no more"})`,
    ];
  }
  const alike = others.map(({ profile }) => profile).join(", ");
  const doubt = first.certain
    ? ""
    : ` # ${alike ? `may also be ${alike}: ` : ""}look at the type plate, identity reads ${first.identity}`;
  return [
    `  - id: ${`${link.id}_${one.unit}`.slice(-64)}`,
    `    link: ${link.id}`,
    `    unit: ${one.unit}`,
    `    profile: ${quoted(fileOf(first.profile))}${doubt}`,
    "    unitName: count # your unit",
    "    countsPerUnit: 1 # drive counts per one unit; the sign turns the direction",
    `    limits: ${LIMITS} # your limits, in your unit`,
    `    homing: ${homing(profiles.find(({ name }) => name === first.profile))}`,
  ];
}

/** The home switch where the drive has that method; a drive that has none knows its position by itself. */
function homing(profile: DriveProfile | undefined): string {
  const methods = Object.keys(profile?.data.homingMethods ?? {});
  const method = methods.includes(USUAL_METHOD) ? USUAL_METHOD : methods[0];
  return method === undefined
    ? "{ required: false, velocity: 1 }"
    : `{ required: true, method: ${method}, velocity: 1 }`;
}

const flow = (fields: Readonly<Record<string, unknown>>): string =>
  `{ ${Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? quoted(value) : String(value)}`)
    .join(", ")} }`;

const quoted = (text: string): string => (/^[a-z./][a-zA-Z0-9_/.-]*$/.test(text) ? text : JSON.stringify(text));
