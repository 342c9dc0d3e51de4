import { readFleetFile } from "@servofleet/runtime/fleet-file";
import { systemClock } from "@servofleet/runtime/system-clock";
import { dataPaths, prepareDataDirectories } from "./data-paths.ts";
import { log } from "./log.ts";
import { onShutdownRequest } from "./service-process.ts";
import { type ServiceSpec, type Supervisor, supervise } from "./supervisor.ts";

/** The services of a box in the order in which they are stopped: the axes first. */
export function servicesOf(configFile: string, nats: boolean): ServiceSpec[] {
  const service = (name: string): ServiceSpec => ({ name, args: [name, "--config", configFile] });
  return [service("controller"), ...(nats ? [service("bridge")] : []), service("gateway"), service("dashboard")];
}

/** Says where the gateway listens: a line for people and for scripts, or one JSON document. */
export function announce(address: string | undefined, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify({ listening: address })}\n` : `listening on ${address}\n`);
}

/** `servofleet up`: starts every service, keeps them alive, and on the first request to end stops the axes first. */
export async function runUp(configFile: string, json: boolean): Promise<void> {
  const config = readFleetFile(configFile, process.env);
  prepareDataDirectories(dataPaths(config.data));
  const supervisor: Supervisor = supervise(servicesOf(configFile, config.messaging !== "embedded"), {
    clock: systemClock(),
    logger: log("supervisor"),
    env: process.env,
  });
  onShutdownRequest(async () => {
    await supervisor.stop();
    return 0;
  });
  try {
    announce(await supervisor.ready, json);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}
