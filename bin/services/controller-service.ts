import type { FleetConfig } from "@servofleet/contracts";
import { startController } from "@servofleet/controller";
import { openEventLog } from "@servofleet/controller/event-log/open-event-log";
import { openTelemetryStore } from "@servofleet/controller/telemetry/telemetry-store";
import { parentProcessBus } from "@servofleet/runtime/child-process-bus";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import { assertThreadPool } from "@servofleet/runtime/sqlite";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { dataPaths, prepareDataDirectories } from "../data-paths.ts";
import { log } from "../log.ts";
import { onShutdownRequest, sayReady } from "../service-process.ts";
import { readFleetToStart, refuseOverload } from "../start-checks.ts";
import { stopLimits } from "../stop-limits.ts";
import { VERSION } from "../version.ts";
import { BridgeKeeper } from "./bridge-keeper.ts";
import { busFault } from "./bus-fault.ts";
import { takeWritePriority } from "./write-priority.ts";

/** The log's own names for what the configuration says of it. */
function logSettings({ log }: FleetConfig) {
  if (!log) return {};
  return { retention: log, cadence: { events: log.checkpointEvents, ms: log.checkpointMs } };
}

/** `servofleet controller`: the write side, and in embedded mode the bridge as its child. */
export async function runController(configFile: string): Promise<void> {
  assertThreadPool();
  const config = readFleetToStart(configFile, process.env);
  refuseOverload(config, configFile);
  const paths = dataPaths(config.data);
  prepareDataDirectories(paths);
  const clock = systemClock();
  const random = systemRandom();
  const logger = log("controller");
  logger.info({ priority: takeWritePriority() }, "starting");
  const eventLog = await openEventLog({ directory: paths.log, clock, random, box: config.box, ...logSettings(config) });
  const telemetry = await openTelemetryStore({ file: paths.telemetry, clock });
  let bus: MessageBus;
  let bridge: BridgeKeeper | undefined;
  if (config.messaging === "embedded") {
    const channel = parentProcessBus(busFault(logger));
    bus = channel;
    bridge = new BridgeKeeper(configFile, channel, clock, logger, stopLimits(config).bridgeMs);
  } else {
    // Loaded where it is used: a box without NATS does not carry its client.
    const { NatsBus } = await import("@servofleet/runtime/nats-bus");
    bus = new NatsBus({ url: config.messaging, box: config.box, clock, onFault: busFault(logger) });
  }
  const controller = await startController({
    config,
    version: VERSION,
    log: eventLog,
    bus,
    telemetry,
    clock,
    random,
    logger,
    socketPath: paths.controllerSocket,
    liveSocketPath: paths.liveSocket,
    onBridgeLost: () => bridge?.replace(),
    onPoisoned: (exitCode) => process.exit(exitCode),
  });
  onShutdownRequest(async (reason) => {
    logger.info({ reason }, "shutting down: axes first");
    await controller.close();
    await bridge?.stop();
    await bus.close();
    await telemetry.close();
    await eventLog.close();
    return 0;
  });
  sayReady();
}
