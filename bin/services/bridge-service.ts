import type { FleetConfig } from "@servofleet/contracts";
import { startBridge } from "@servofleet/firmware-bridge";
import { createLink } from "@servofleet/firmware-bridge/link/create-link";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { childProcessBus } from "@servofleet/runtime/child-process-bus";
import { readFleetFile } from "@servofleet/runtime/fleet-file";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import { NatsBus } from "@servofleet/runtime/nats-bus";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import type { Logger } from "pino";
import { log } from "../log.ts";
import { onShutdownRequest, sayReady } from "../service-process.ts";
import { busFault } from "./bus-fault.ts";

/** The bridge was started by hand on a box whose controller brings its own. */
class BridgeAloneError extends Error {
  override readonly name = "BridgeAloneError";
  readonly code = "needs-nats";
  readonly facts = {};
  readonly hint =
    "set messaging: nats://host:4222 in fleet.yaml, or run `servofleet up`, whose controller starts the bridge itself";
  constructor() {
    super("the bridge alone needs NATS to be reached by its controller");
  }
}

/** `servofleet bridge`: the bus side, as the controller's child (embedded) or alone on NATS. */
export async function runBridge(configFile: string): Promise<void> {
  const config = readFleetFile(configFile, process.env);
  const clock = systemClock();
  const logger = log("bridge");
  const isControllersChild = process.env["SERVOFLEET_BRIDGE_PARENT"] === String(process.ppid);
  const bus = busOf(config, isControllersChild, logger);
  const random = systemRandom();
  const bridge = await startBridge({
    config,
    bus,
    clock,
    random,
    createLink: (link, plan) => createLink(link, { ...plan, clock, random, log: logger }),
    loadProfile,
    log: logger,
  });
  const stop = async (reason: string): Promise<number> => {
    logger.info({ reason }, "stopping");
    await bridge.close();
    await bus.close();
    return 0;
  };
  onShutdownRequest(stop);
  if (!isControllersChild) sayReady();
}

function busOf(config: FleetConfig, isControllersChild: boolean, logger: Logger): MessageBus {
  if (isControllersChild) return childProcessBus(busFault(logger));
  if (config.messaging === "embedded") throw new BridgeAloneError();
  return new NatsBus({ url: config.messaging, box: config.box, clock: systemClock(), onFault: busFault(logger) });
}
