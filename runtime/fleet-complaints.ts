import type { FleetConfig } from "@servofleet/contracts";
import { nearestSpelling } from "./nearest-spelling.ts";
import type { Complaint } from "./schema-complaints.ts";

/** What a schema cannot say: names that must exist, be unique, or fit together. Pure. */
export function fleetComplaints(config: FleetConfig): readonly Complaint[] {
  return [
    ...repeated(
      config.links.map((link) => link.id),
      (index) => `links[${index}].id`,
    ),
    ...repeated(
      config.axes.map((axis) => axis.id),
      (index) => `axes[${index}].id`,
    ),
    ...repeated(
      config.groups.map((group) => group.id),
      (index) => `groups[${index}].id`,
    ),
    ...sharedPorts(config),
    ...config.axes.flatMap((axis, index) => axisComplaints(config, axis, `axes[${index}]`)),
    ...config.groups.flatMap((group, index) =>
      group.axes.flatMap((axis, member) =>
        unknownName(
          axis,
          config.axes.map((a) => a.id),
          `groups[${index}].axes[${member}]`,
        ),
      ),
    ),
  ];
}

function repeated(names: readonly string[], path: (index: number) => string): Complaint[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ path: path(index), found: `"${name}" again`, allowed: "each id once", nearest: undefined }],
  );
}

function unknownName(name: string, known: readonly string[], path: string): Complaint[] {
  return known.includes(name)
    ? []
    : [{ path, found: `"${name}"`, allowed: known.join(", "), nearest: nearestSpelling(name, known) }];
}

function sharedPorts(config: FleetConfig): Complaint[] {
  const places = config.links.map((link) => (link.kind === "modbus-rtu" ? link.port : `${link.host}:${link.port}`));
  return repeated(places, (index) => `links[${index}].${config.links[index]?.kind === "modbus-rtu" ? "port" : "host"}`);
}

function axisComplaints(config: FleetConfig, axis: FleetConfig["axes"][number], path: string): Complaint[] {
  const link = config.links.find((candidate) => candidate.id === axis.link);
  const complaints = unknownName(
    axis.link,
    config.links.map((candidate) => candidate.id),
    `${path}.link`,
  );
  const say = (field: string, found: string, allowed: string) =>
    complaints.push({ path: `${path}.${field}`, found, allowed, nearest: undefined });
  if (axis.countsPerUnit === 0) say("countsPerUnit", "0", "a number that is not 0; the sign turns the direction");
  if (axis.limits.min >= axis.limits.max)
    say("limits", `min ${axis.limits.min} and max ${axis.limits.max}`, "min below max");
  if (axis.homing.velocity > axis.limits.velocity)
    say("homing.velocity", String(axis.homing.velocity), `at most limits.velocity (${axis.limits.velocity})`);
  if (axis.poll.movingMs > axis.poll.idleMs)
    say("poll", `movingMs ${axis.poll.movingMs} above idleMs ${axis.poll.idleMs}`, "movingMs at most idleMs");
  if (link?.kind === "modbus-rtu" && (axis.unit < 1 || axis.unit > 247))
    say("unit", String(axis.unit), "1 to 247 on a serial line (0 is broadcast)");
  const twin = config.axes.find((other) => other !== axis && other.link === axis.link && other.unit === axis.unit);
  if (twin && config.axes.indexOf(twin) < config.axes.indexOf(axis))
    say("unit", `${axis.unit}, already taken by ${twin.id}`, `a unit of ${axis.link} that no other axis has`);
  return complaints;
}
