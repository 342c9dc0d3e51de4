import { dirname, resolve } from "node:path";
import type { FleetConfig } from "@servofleet/contracts";
import { startBridge } from "@servofleet/firmware-bridge";
import { takeLinePriority } from "@servofleet/firmware-bridge/bridge/line-priority";
import { stayAwake } from "@servofleet/firmware-bridge/bridge/stay-awake";
import { createLink } from "@servofleet/firmware-bridge/link/create-link";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { childProcessBus } from "@servofleet/runtime/child-process-bus";
import type { Clock } from "@servofleet/runtime/clock";
import { readFleetFile } from "@servofleet/runtime/fleet-file";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import type { Logger } from "pino";
import { dataPaths, prepareDataDirectories } from "../data-paths.ts";
import { log } from "../log.ts";
import { onShutdownRequest, sayReady } from "../service-process.ts";
import { bridgeGone, openBridgeDoor } from "./bridge-door.ts";
import { busFault } from "./bus-fault.ts";

/** How long a bridge waits for the one before it; then it starts all the same, and lines that are still held are retried. */
const PREDECESSOR_LIMIT_MS = 1500;

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
  const parent = process.env["SERVOFLEET_BRIDGE_PARENT"];
  // Its controller died before this process had started: there is nobody to obey and nothing that moves by its doing.
  if (parent !== undefined && parent !== String(process.ppid)) return;
  const isControllersChild = parent !== undefined;
  // Held to the end of the process.
  const wantsAwake = config.links.some((link) => "keepAwake" in link && link.keepAwake === true);
  const awake = wantsAwake && stayAwake() !== null;
  logger.info({ priority: takeLinePriority(), awake }, "starting");
  if (wantsAwake && !awake) logger.warn("keepAwake: /dev/cpu_dma_latency may not be opened, the cores sleep as ever");
  const successor = isControllersChild ? await takeOver(config, clock, logger) : new AbortController().signal;
  const bus = await busOf(config, isControllersChild, logger);
  const random = systemRandom();
  const bridge = await startBridge({
    config,
    bus,
    clock,
    random,
    createLink: (link, plan) => createLink(link, { ...plan, clock, random, log: logger }),
    loadProfile: (name) => loadProfile(name, dirname(resolve(configFile))),
    log: logger,
  });
  onShutdownRequest(async (reason) => {
    logger.info({ reason }, "stopping");
    // An orderly end comes over the bus, or as the parent's word: a channel that closes without one is a lost controller.
    if (isControllersChild && reason === "its parent died") await bridge.leave(successor);
    else await bridge.close();
    await bus.close();
    return 0;
  });
  if (!isControllersChild) sayReady();
}

/** Lets the bridge of a controller that died end first: two of them on one line would talk into each other's answers. */
async function takeOver(config: FleetConfig, clock: Clock, logger: Logger): Promise<AbortSignal> {
  const paths = dataPaths(config.data);
  prepareDataDirectories(paths);
  if (!(await bridgeGone(paths.bridgeSocket, "successor", clock, PREDECESSOR_LIMIT_MS)))
    logger.warn({ limitMs: PREDECESSOR_LIMIT_MS }, "the bridge before this one is still there: its lines are retried");
  return openBridgeDoor(paths.bridgeSocket);
}

async function busOf(config: FleetConfig, isControllersChild: boolean, logger: Logger): Promise<MessageBus> {
  if (isControllersChild) return childProcessBus(busFault(logger));
  if (config.messaging === "embedded") throw new BridgeAloneError();
  // Loaded where it is used: a box without NATS does not carry its client.
  const { NatsBus } = await import("@servofleet/runtime/nats-bus");
  return new NatsBus({ url: config.messaging, box: config.box, clock: systemClock(), onFault: busFault(logger) });
}
