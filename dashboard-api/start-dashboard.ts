import { chmod, mkdir, rm } from "node:fs/promises";
import type { FleetConfig } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import { routesOfAxes } from "./http/axis-routes.ts";
import type { ReadServices } from "./http/read-route.ts";
import { addRoute, createServer } from "./http/server.ts";
import { LiveValues } from "./live/live-values.ts";
import type { LogSource } from "./read-model/log-source.ts";
import { type Logger, ReadModel } from "./read-model/read-model.ts";
import { SqliteViewStore } from "./read-model/sqlite-view-store.ts";
import { TimeTravel } from "./read-model/time-travel.ts";
import type { TelemetrySource } from "./telemetry/telemetry-source.ts";

/** Readable by the service's user and group only: no local stranger may speak for the read side. */
const SOCKET_MODE = 0o660;

export interface DashboardOptions {
  readonly config: FleetConfig;
  readonly logSource: LogSource;
  readonly telemetry: TelemetrySource;
  /** Where the controller passes live values on; it may come and go. */
  readonly liveSocketPath: string;
  /** Files of the projections; everything in it can be deleted and is rebuilt. */
  readonly readDirectory: string;
  readonly socketPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
}
export interface Dashboard {
  /** Settles when the first catch-up with the log is done: from then on reads are answered. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Starts the read side; resolves when its socket listens. */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { config, logSource, telemetry, readDirectory, socketPath, clock, logger } = options;
  await mkdir(readDirectory, { recursive: true });
  const model = await ReadModel.open(
    logSource,
    (projection) => SqliteViewStore.open(readDirectory, projection),
    clock,
    logger,
  );
  const live = new LiveValues(clock);
  const services: ReadServices = { model, live, past: new TimeTravel(logSource, clock), telemetry, config, clock };
  const app = createServer(logger);
  for (const route of routesOfAxes(services)) addRoute(app, services, route);
  await rm(socketPath, { force: true });
  await app.listen({ path: socketPath });
  await chmod(socketPath, SOCKET_MODE);
  return {
    ready: model.start(),
    async close() {
      await app.close();
      await model.close();
    },
  };
}
