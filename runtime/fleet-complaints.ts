import type { FleetConfig } from "@servofleet/contracts";
import { nearestSpelling } from "./nearest-spelling.ts";
import type { Complaint } from "./schema-complaints.ts";

/**
 * What a schema cannot say: names that must exist, be unique, or fit together. Pure. In a file whose shape is wrong in
 * places `isSound` tells which parts (`links[0]`, `axes[3].poll`) can be looked at, so that a person hears everything at
 * once.
 */
export function fleetComplaints(
  config: FleetConfig,
  isSound: (path: string) => boolean = () => true,
): readonly Complaint[] {
  return [
    ...repeatedIds(config.links, "links", isSound),
    ...repeatedIds(config.axes, "axes", isSound),
    ...repeatedIds(config.groups, "groups", isSound),
    ...sharedPorts(config, isSound),
    ...config.axes.flatMap((axis, index) => axisComplaints(config, axis, `axes[${index}]`, isSound)),
    ...config.groups.flatMap((group, index) =>
      isSound(`groups[${index}]`)
        ? group.axes.flatMap((axis, member) =>
            unknownName(axis, idsOf(config.axes), `groups[${index}].axes[${member}]`),
          )
        : [],
    ),
  ];
}

/** Ids as they stand, also of items that are otherwise wrong: a link with a wrong baud rate is still a link. */
const idsOf = (items: readonly { readonly id: string }[]): string[] =>
  items.flatMap((item) => (typeof item?.id === "string" ? [item.id] : []));

function repeatedIds(
  items: readonly { readonly id: string }[],
  list: string,
  isSound: (path: string) => boolean,
): Complaint[] {
  const sound = items.map((item, index) => (isSound(`${list}[${index}]`) ? item.id : undefined));
  return repeated(sound, (index) => `${list}[${index}].id`);
}

function repeated(names: readonly (string | undefined)[], path: (index: number) => string): Complaint[] {
  return names.flatMap((name, index) =>
    name === undefined || names.indexOf(name) === index
      ? []
      : [{ path: path(index), found: `"${name}" again`, allowed: "each id once", nearest: undefined }],
  );
}

function unknownName(name: string, known: readonly string[], path: string): Complaint[] {
  return known.includes(name)
    ? []
    : [{ path, found: `"${name}"`, allowed: known.join(", "), nearest: nearestSpelling(name, known) }];
}

function sharedPorts(config: FleetConfig, isSound: (path: string) => boolean): Complaint[] {
  const places = config.links.map((link, index) => {
    if (!isSound(`links[${index}]`)) return undefined;
    return "host" in link ? `${link.host}:${link.port}` : link.port;
  });
  return repeated(places, (index) => `links[${index}].${"host" in (config.links[index] ?? {}) ? "host" : "port"}`);
}

function axisComplaints(
  config: FleetConfig,
  axis: FleetConfig["axes"][number],
  path: string,
  isSound: (path: string) => boolean,
): Complaint[] {
  const complaints: Complaint[] = [];
  const sound = (...fields: readonly string[]) => fields.every((field) => isSound(`${path}.${field}`));
  const say = (field: string, found: string, allowed: string) =>
    complaints.push({ path: `${path}.${field}`, found, allowed, nearest: undefined });
  if (sound("link")) complaints.push(...unknownName(axis.link, idsOf(config.links), `${path}.link`));
  if (sound("countsPerUnit") && axis.countsPerUnit === 0)
    say("countsPerUnit", "0", "a number that is not 0; the sign turns the direction");
  if (sound("limits.min", "limits.max") && axis.limits.min >= axis.limits.max)
    say("limits", `min ${axis.limits.min} and max ${axis.limits.max}`, "min below max");
  if (sound("homing.velocity", "limits.velocity") && axis.homing.velocity > axis.limits.velocity)
    say("homing.velocity", String(axis.homing.velocity), `at most limits.velocity (${axis.limits.velocity})`);
  if (sound("poll") && axis.poll.movingMs > axis.poll.idleMs)
    say("poll", `movingMs ${axis.poll.movingMs} above idleMs ${axis.poll.idleMs}`, "movingMs at most idleMs");
  return sound("link", "unit") ? [...complaints, ...unitComplaints(config, axis, path)] : complaints;
}

function unitComplaints(config: FleetConfig, axis: FleetConfig["axes"][number], path: string): Complaint[] {
  const complaints: Complaint[] = [];
  const say = (found: string, allowed: string) =>
    complaints.push({ path: `${path}.unit`, found, allowed, nearest: undefined });
  const link = config.links.find((candidate) => candidate?.id === axis.link);
  if ((link?.kind === "modbus-rtu" || link?.kind === "modbus-rtu-over-tcp") && (axis.unit < 1 || axis.unit > 247))
    say(String(axis.unit), "1 to 247 on a serial line (0 is broadcast)");
  if ((link?.kind === "dynamixel" || link?.kind === "feetech") && (axis.unit < 1 || axis.unit > 252))
    say(String(axis.unit), "1 to 252 on a servo bus (254 is broadcast)");
  const twin = config.axes.find((other) => other !== axis && other?.link === axis.link && other.unit === axis.unit);
  if (twin && config.axes.indexOf(twin) < config.axes.indexOf(axis))
    say(`${axis.unit}, already taken by ${twin.id}`, `a unit of ${axis.link} that no other axis has`);
  return complaints;
}
