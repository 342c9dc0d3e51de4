import { fileURLToPath } from "node:url";
import { startGateway } from "@servofleet/dashboard-api/gateway/gateway";
import { readFleetFile } from "@servofleet/runtime/fleet-file";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { dataPaths, prepareDataDirectories } from "../data-paths.ts";
import { log } from "../log.ts";
import { onShutdownRequest, sayReady } from "../service-process.ts";

const PAGE = fileURLToPath(new URL("../../dashboard-api/page", import.meta.url));

/** `servofleet gateway`: the one TCP port of the box. */
export async function runGateway(configFile: string): Promise<void> {
  const config = readFleetFile(configFile, process.env);
  const paths = dataPaths(config.data);
  prepareDataDirectories(paths);
  const logger = log("gateway");
  const gateway = await startGateway({
    http: config.http,
    controllerSocket: paths.controllerSocket,
    dashboardSocket: paths.dashboardSocket,
    pageDirectory: PAGE,
    clock: systemClock(),
    random: systemRandom(),
    logger,
  });
  logger.info({ address: gateway.address }, "listening");
  onShutdownRequest(async () => {
    await gateway.close();
    return 0;
  });
  sayReady(gateway.address);
}
