import type { FleetConfig } from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { type BoxEnd, endOfBox } from "./box-end.ts";
import { lockBox } from "./box-lock.ts";
import { type DataPaths, dataPaths, prepareDataDirectories } from "./data-paths.ts";
import { log } from "./log.ts";
import { bridgeGone } from "./services/bridge-door.ts";
import { readFleetToStart, refuseOverload } from "./start-checks.ts";
import { stopLimits } from "./stop-limits.ts";
import { type ServiceSpec, supervise } from "./supervisor.ts";

/** The services of a box in the order in which they are stopped: the axes first. */
export function servicesOf(configFile: string, config: FleetConfig): ServiceSpec[] {
  const limits = stopLimits(config);
  const service = (name: string, stopLimitMs: number): ServiceSpec => ({
    name,
    args: [name, "--config", configFile],
    stopLimitMs,
  });
  const bridges = config.messaging === "embedded" ? [] : [service("bridge", limits.bridgeMs)];
  return [
    service("controller", limits.controllerMs),
    ...bridges,
    service("gateway", limits.otherMs),
    service("dashboard", limits.otherMs),
  ];
}

/**
 * Says where the gateway listens: a line for people and for scripts, with what a person may want to know after it, or one
 * JSON document. In one write: a script that has read the line has the rest too.
 */
export function announce(address: string | undefined, json: boolean, more = ""): void {
  process.stdout.write(json ? `${JSON.stringify({ listening: address })}\n` : `listening on ${address}\n${more}`);
}

/** `servofleet up`: starts every service, keeps them alive, and on the first request to end stops the axes first. */
export async function runUp(configFile: string, json: boolean): Promise<void> {
  const config = readFleetToStart(configFile, process.env);
  refuseOverload(config, configFile);
  const paths = dataPaths(config.data);
  const end = endOfBox(paths.controllerSocket);
  await end.unlessAsked(async () => {
    prepareDataDirectories(paths);
    await holdBox(paths, end);
    announce(await startServices(configFile, config, paths, end), json);
  });
}

/** Takes the box's lock and keeps it until everything else has ended: a lock that nobody holds on to goes with the garbage. */
export async function holdBox(paths: DataPaths, end: BoxEnd): Promise<void> {
  const lock = await lockBox(paths, systemClock(), (text) => process.stderr.write(`${text}\n`));
  end.add(() => lock.release());
}

/** Starts the services of a box whose lock is held; resolves with the gateway's address once all of them are ready. */
export function startServices(
  configFile: string,
  config: FleetConfig,
  paths: DataPaths,
  end: BoxEnd,
): Promise<string | undefined> {
  const clock = systemClock();
  const supervisor = supervise(servicesOf(configFile, config), { clock, logger: log("supervisor"), env: process.env });
  // A controller that had to be killed leaves its bridge behind, which stops its axes and goes: nobody leaves before it.
  end.add(async () => void (await bridgeGone(paths.bridgeSocket, "bystander", clock, stopLimits(config).bridgeMs)));
  end.add(() => supervisor.stop());
  return supervisor.ready;
}
