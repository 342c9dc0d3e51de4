import { startDashboard } from "@servofleet/dashboard-api";
import { readFleetFile } from "@servofleet/runtime/fleet-file";
import { openLogReader } from "@servofleet/runtime/log-reader";
import { assertThreadPool } from "@servofleet/runtime/sqlite";
import { systemClock } from "@servofleet/runtime/system-clock";
import { openTelemetryReader } from "@servofleet/runtime/telemetry-reader";
import { lockService } from "../box-lock.ts";
import { dataPaths, prepareDataDirectories } from "../data-paths.ts";
import { log } from "../log.ts";
import { onShutdownRequest, sayReady } from "../service-process.ts";
import { VERSION } from "../version.ts";

/** `servofleet dashboard`: the read side. It knows the write side by its log, its telemetry file and the live socket alone. */
export async function runDashboard(configFile: string): Promise<void> {
  assertThreadPool();
  const config = readFleetFile(configFile, process.env);
  const paths = dataPaths(config.data);
  prepareDataDirectories(paths);
  const clock = systemClock();
  const logger = log("dashboard");
  const lock = await lockService(paths, "dashboard");
  const logSource = await openLogReader({ file: paths.events, clock });
  const telemetry = await openTelemetryReader({ file: paths.telemetry, clock });
  const dashboard = await startDashboard({
    config,
    logSource,
    telemetry,
    liveSocketPath: paths.liveSocket,
    readDirectory: paths.read,
    socketPath: paths.dashboardSocket,
    clock,
    logger,
    version: VERSION,
  });
  onShutdownRequest(async () => {
    await dashboard.close();
    await logSource.close();
    await telemetry.close();
    await lock.release();
    return 0;
  });
  void dashboard.lost.then((error) => {
    // Another log, or a shorter one: a fresh process reads the truth from the disk.
    logger.error({ error: error.message }, "the log under the read model was replaced");
    process.exit(1);
  });
  await dashboard.ready;
  sayReady();
}
