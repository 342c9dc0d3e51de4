import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { startController } from "@servofleet/controller";
import { openEventLog } from "@servofleet/controller/event-log/open-event-log";
import { openTelemetryStore } from "@servofleet/controller/telemetry/telemetry-store";
import { childProcessBus } from "@servofleet/runtime/child-process-bus";
import { parseFleet } from "@servofleet/runtime/fleet-file";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { CRASH_FLEET } from "./crash-fleet.ts";
import type { Weakness } from "./log-life-plan.ts";
import { weakenedWriter } from "./weakened-writer.ts";

/**
 * The real controller with its real log in a process of its own, to be killed or stopped or given a bad disk; its bridge is in the
 * process that forked it. Says `loaded` when it waits for `go` (so that a spare one stands by), then `serving`.
 */
const [directory = "", weakness = "none", socket = ""] = process.argv.slice(2) as [string, Weakness, string];
const bus = childProcessBus(() => undefined);
const go = new Promise<void>((resolve) => {
  process.on("message", (message) => {
    if (message === "go") resolve();
  });
});
// A process that is killed would never write what it has compiled.
flushCompileCache();
process.send?.("loaded");
await go;

const clock = systemClock();
const random = systemRandom();
const config = parseFleet(CRASH_FLEET, "fleet.yaml");
const log = await openEventLog({
  directory,
  clock,
  random,
  box: config.box,
  reserveBytes: 0,
  openWriter: weakenedWriter(weakness),
});
const telemetry = await openTelemetryStore({ file: join(directory, "telemetry.db"), clock });
const complain = (facts: object, message: string): void =>
  void process.stderr.write(`${message} ${JSON.stringify(facts)}\n`);
const controller = await startController({
  config,
  version: "crash",
  log,
  bus,
  telemetry,
  clock,
  random,
  logger: { info: () => undefined, warn: complain, error: complain },
  socketPath: join(directory, `${socket}.sock`),
  liveSocketPath: join(directory, `${socket}-live.sock`),
  onPoisoned: (code) => process.exit(code),
});
process.on("SIGTERM", async () => {
  await controller.close();
  await bus.close();
  await telemetry.close();
  await log.close();
  process.exit(0);
});
process.send?.("serving");
