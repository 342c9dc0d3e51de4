import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { FleetConfig } from "@servofleet/contracts";
import { stringify } from "yaml";
import { type BoxEnd, endOfBox } from "./box-end.ts";
import { type DataPaths, dataPaths, makeDirectory, prepareDataDirectories } from "./data-paths.ts";
import { startSimulators } from "./simulators.ts";
import { readFleetToStart } from "./start-checks.ts";
import { announce, holdBox, startServices } from "./up.ts";

const SCHEMA_FILE = fileURLToPath(new URL("../contracts/fleet.schema.json", import.meta.url));
const SCHEMA_LINE = `# yaml-language-server: $schema=${SCHEMA_FILE}\n`;

/** `npm start`: simulated drives behind real serial lines and TCP ports, and a whole box in front of them. */
export async function runDemo(json: boolean): Promise<void> {
  process.env["SERVOFLEET_LOG"] ??= "error";
  const paths = dataPaths(resolve(process.env["SERVOFLEET_DATA"] ?? "./data"));
  const end = endOfBox(paths.controllerSocket);
  await end.unlessAsked(async () => {
    prepareDataDirectories(paths);
    await holdBox(paths, end);
    const { config, fleetFile, control } = await startDrives(paths, end);
    const address = await startServices(fleetFile, config, paths, end);
    announce(address, json, introduction(config, address ?? "", control));
  });
}

/** The drives, and the configuration of the fleet in front of them. */
async function startDrives(
  paths: DataPaths,
  end: BoxEnd,
): Promise<{ config: FleetConfig; fleetFile: string; control: string }> {
  const { demoFleet, demoLinks } = await import("@servofleet/hil-tests/demo/demo-fleet");
  const lines = join(paths.data, "lines");
  makeDirectory(lines);
  const linksFile = join(paths.data, "demo-links.yaml");
  writeFileSync(linksFile, stringify(demoLinks(lines)));
  const simulators = startSimulators(linksFile);
  end.add(simulators.stop);
  const { links, control } = await simulators.ready;
  const ports = Object.fromEntries(links.map((link) => [link.id, link.port ?? 0]));
  const fleetFile = join(paths.data, "demo-fleet.yaml");
  writeFileSync(fleetFile, SCHEMA_LINE + stringify({ ...demoFleet(lines, ports), data: paths.data }));
  return { config: readFleetToStart(fleetFile, process.env), fleetFile, control };
}

/** The fleet and three lines to try. */
function introduction(config: FleetConfig, address: string, control: string): string {
  const axes = config.axes.map(
    (axis) =>
      `  ${axis.id.padEnd(4)} ${axis.profile.padEnd(20)} unit ${String(axis.unit).padEnd(4)} on ${axis.link}   ${axis.limits.min} to ${axis.limits.max} ${axis.unitName}`,
  );
  const json = "-H 'Content-Type: application/json'";
  return [
    "",
    `${config.axes.length} simulated axes on ${config.links.length} links (faults for them: ${control}):`,
    ...axes,
    "",
    "Try, in another terminal:",
    `  curl -X POST ${json} -H 'Prefer: wait=10' -d '{"type":"Enable"}' ${address}/v1/axes/z1/commands`,
    `  curl -X POST ${json} -H 'Prefer: wait=10' -d '{"type":"Home"}' ${address}/v1/axes/z1/commands`,
    `  curl -X POST ${json} -d '{"type":"MoveAbsolute","position":90}' ${address}/v1/axes/z1/commands`,
    "",
    `The dashboard is at ${address}/ . Ctrl-C stops the axes first. The software stop is not a safety function.`,
    "",
  ].join("\n");
}
