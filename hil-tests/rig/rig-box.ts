import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "@servofleet/runtime/clock";
import { stringify } from "yaml";
import { BoxError, end, findService, firstLine, type ServiceName } from "../box/running-box.ts";
import { RigError } from "./rig-error.ts";
import { type Rig, rigDirectory } from "./rig-file.ts";
import { linksDocument } from "./rig-links.ts";

const CLI = fileURLToPath(new URL("../../bin/servofleet.ts", import.meta.url));
const CONNECT_LIMIT_MS = 3000;
/** What a process said last is kept for a message, characters. */
const SAID_MAX = 16_384;

/** The real parts of a rig, running. */
export interface RigBox {
  readonly url: string;
  readonly control: string | null;
  /** Process id of a service now; undefined while it is dead or not the rig's. */
  pid(service: ServiceName): number | undefined;
  /** The axes are stopped first, the simulators last. */
  stop(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  /** What asks it to end. */
  readonly signal: NodeJS.Signals;
}

interface SimulatorsReady {
  readonly control: string;
  readonly links: readonly {
    readonly id: string;
    readonly path?: string;
    readonly host?: string;
    readonly port?: number;
  }[];
}

/**
 * Starts what the rig needs: simulators for its simulated links, then a box in front of all of them; or takes the gateway
 * that the file names. Devices of real links are looked for first.
 * @throws RigError `missing-device` | `not-started`; then nothing runs and nothing has moved
 */
export async function startRigBox(rig: Rig, clock: Clock): Promise<RigBox> {
  if (rig.gateway) return { ...rig.gateway, pid: () => undefined, stop: async () => undefined };
  await findDevices(rig, clock);
  const directory = mkdtempSync(join(tmpdir(), "rig-"));
  const running: Running[] = [];
  const stop = async () => {
    for (const { child, signal } of running.reverse()) await end(child, signal);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const ready = await startSimulators(rig, directory, running);
    const fleetFile = join(directory, "fleet.yaml");
    writeFileSync(fleetFile, stringify({ ...placed(rig, ready), data: join(directory, "data") }));
    const { child, said } = spawned(["--json", "up", "--config", fleetFile], {}, ["ignore", "pipe", "pipe"]);
    running.push({ child, signal: "SIGINT" });
    const { listening } = JSON.parse(await firstLine(child, said)) as { listening: string };
    return { url: listening, control: ready?.control ?? null, pid: (service) => findService(fleetFile, service), stop };
  } catch (error) {
    await stop();
    if (!(error instanceof BoxError)) throw error;
    throw new RigError("not-started", `the rig did not start: ${error.message}`, error.facts, "read what it said");
  }
}

/** A real line or host that is not there is said before anything starts. */
async function findDevices(rig: Rig, clock: Clock): Promise<void> {
  const missing: string[] = [];
  for (const [n, link] of rig.fleet.links.entries()) {
    if (rig.links[n]?.drives !== "real") continue;
    const trouble = "host" in link ? await unreachable(link.host, link.port, clock) : absent(link.port);
    if (trouble) missing.push(`${link.id}: ${trouble}`);
  }
  if (missing.length === 0) return;
  throw new RigError(
    "missing-device",
    `a device of ${rig.file} is missing:\n  ${missing.join("\n  ")}`,
    { missing },
    "plug it in or correct the rig file; nothing was started and nothing moved",
  );
}

function absent(port: string): string | undefined {
  try {
    accessSync(port, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "EACCES" ? `${port} may not be opened by this user` : `${port} is not there`;
  }
}

function unreachable(host: string, port: number, clock: Clock): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    const finish = (trouble: string | undefined) => {
      limit.cancel();
      socket.destroy();
      done(trouble);
    };
    const limit = clock.after(CONNECT_LIMIT_MS, () => finish(`${host}:${port} does not answer`));
    socket.once("connect", () => finish(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(`${host}:${port} cannot be reached (${error.code})`));
  });
}

async function startSimulators(rig: Rig, directory: string, running: Running[]): Promise<SimulatorsReady | undefined> {
  const links = linksDocument(rig, directory);
  if (links.links.length === 0) return undefined;
  const file = join(directory, "links.yaml");
  writeFileSync(file, stringify(links));
  // A child leaves Ctrl-C to its parent: the axes stop before the drives that they are go away.
  const { child, said } = spawned(["sim", file], { SERVOFLEET_CHILD: "1" }, ["ignore", "pipe", "pipe", "ipc"]);
  running.push({ child, signal: "SIGTERM" });
  return JSON.parse(await firstLine(child, said)) as SimulatorsReady;
}

function spawned(
  args: readonly string[],
  more: NodeJS.ProcessEnv,
  stdio: ("ignore" | "pipe" | "ipc")[],
): { child: ChildProcess; said: () => string } {
  const env = { ...process.env, UV_THREADPOOL_SIZE: "16", SERVOFLEET_LOG: "error", ...more };
  const child = spawn(process.execPath, [CLI, ...args], { stdio, env });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-SAID_MAX);
  });
  return { child, said: () => said };
}

/** The fleet with every simulated link at its place and every path absolute. */
function placed(rig: Rig, ready: SimulatorsReady | undefined): object {
  const links = rig.fleet.links.map((link) => {
    const place = ready?.links.find(({ id }) => id === link.id);
    if (!place) return link;
    return { ...link, ...(place.path ? { port: place.path } : { host: place.host, port: place.port }) };
  });
  const axes = rig.fleet.axes.map((axis) => {
    const isFile = axis.profile.includes("/") || axis.profile.endsWith(".json");
    return isFile && !isAbsolute(axis.profile) ? { ...axis, profile: resolve(rigDirectory(rig), axis.profile) } : axis;
  });
  return { ...rig.fleet, links, axes, http: { host: "127.0.0.1", port: 0 } };
}
