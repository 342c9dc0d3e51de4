import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { FleetConfig } from "@servofleet/contracts";
import { parseFleet } from "@servofleet/runtime/fleet-file";
import { systemClock } from "@servofleet/runtime/system-clock";
import { stringify } from "yaml";
import { dataPaths, prepareDataDirectories } from "./data-paths.ts";
import { log } from "./log.ts";
import { onShutdownRequest } from "./service-process.ts";
import { stopChild, supervise } from "./supervisor.ts";
import { announce, servicesOf } from "./up.ts";

const ENTRY = fileURLToPath(new URL("./servofleet.ts", import.meta.url));
const SCHEMA_FILE = fileURLToPath(new URL("../contracts/fleet.schema.json", import.meta.url));
const SCHEMA_LINE = `# yaml-language-server: $schema=${SCHEMA_FILE}\n`;

/** What the simulators say once they can be used. */
interface SimulatorReady {
  readonly links: readonly { readonly id: string; readonly port?: number }[];
  readonly control: string;
}

/** The simulators ended instead of getting ready. */
class SimulatorsError extends Error {
  override readonly name = "SimulatorsError";
  readonly code = "simulators-ended";
  readonly facts = {};
  readonly hint = "see their message above";
}

/** `npm start`: simulated drives behind real serial lines and TCP ports, and a whole box in front of them. */
export async function runDemo(json: boolean): Promise<void> {
  process.env["SERVOFLEET_LOG"] ??= "error";
  const data = resolve(process.env["SERVOFLEET_DATA"] ?? "./data");
  prepareDataDirectories(dataPaths(data));
  const lines = join(data, "lines");
  mkdirSync(lines, { recursive: true });
  const { demoFleet, demoLinks } = await import("@servofleet/hil-tests/demo/demo-fleet");
  const linksFile = join(data, "demo-links.yaml");
  writeFileSync(linksFile, stringify(demoLinks(lines)));
  const { child: simulators, ready } = await startSimulators(linksFile);
  const fleetFile = join(data, "demo-fleet.yaml");
  const ports = Object.fromEntries(ready.links.map((link) => [link.id, link.port ?? 0]));
  writeFileSync(fleetFile, SCHEMA_LINE + stringify({ ...demoFleet(lines, ports), data }));
  const config = parseFleet(stringify({ ...demoFleet(lines, ports), data }), fleetFile, process.env);
  const logger = log("demo");
  const clock = systemClock();
  const supervisor = supervise(servicesOf(fleetFile, false), { clock, logger, env: process.env });
  const stop = async (): Promise<number> => {
    await supervisor.stop();
    await stopChild(simulators, clock, logger, "simulators");
    return 0;
  };
  onShutdownRequest(stop);
  try {
    const address = await supervisor.ready;
    announce(address, json);
    if (!json) process.stdout.write(introduction(config, address ?? "", ready.control));
  } catch (error) {
    await stop();
    throw error;
  }
}

function startSimulators(linksFile: string): Promise<{ child: ChildProcess; ready: SimulatorReady }> {
  const child = spawn(process.execPath, [ENTRY, "sim", linksFile], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: { ...process.env, SERVOFLEET_CHILD: "1" },
  });
  return new Promise((resolveReady, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new SimulatorsError("the simulated drives did not start")));
    const output = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    output.once("line", (line) => {
      child.removeAllListeners("exit");
      resolveReady({ child, ready: JSON.parse(line) as SimulatorReady });
    });
  });
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
