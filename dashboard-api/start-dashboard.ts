import { chmod, mkdir, rm } from "node:fs/promises";
import type { FleetConfig } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import { routesOfAlarms } from "./http/alarm-routes.ts";
import { routesOfAxes } from "./http/axis-routes.ts";
import { routesOfCommands } from "./http/command-routes.ts";
import { addDocuments } from "./http/documents.ts";
import { routesOfEvents } from "./http/event-routes.ts";
import { addHealthRoutes } from "./http/health.ts";
import { routesOfLinks } from "./http/link-routes.ts";
import { routesOfLive } from "./http/live-routes.ts";
import { metricsOf } from "./http/metrics.ts";
import { addProblemPages } from "./http/problem-pages.ts";
import type { ReadServices } from "./http/read-route.ts";
import { routesOfRuns } from "./http/run-routes.ts";
import { addRoute, createServer } from "./http/server.ts";
import { SseChannels } from "./http/sse-channel.ts";
import { addSwitchRoute } from "./http/switch-route.ts";
import { addTelemetryMetrics } from "./http/telemetry-metrics.ts";
import { routesOfTelemetry } from "./http/telemetry-routes.ts";
import { addUnknownRoute } from "./http/unknown-route.ts";
import { LiveClient } from "./live/live-client.ts";
import { LiveStream } from "./live/live-stream.ts";
import { LiveValues } from "./live/live-values.ts";
import type { LogSource } from "./read-model/log-source.ts";
import { chooseGeneration, currentGeneration, dropOlderThan, generationStores } from "./read-model/read-generation.ts";
import { type Logger, ReadModel } from "./read-model/read-model.ts";
import { TimeTravel } from "./read-model/time-travel.ts";
import type { TelemetrySource } from "./telemetry/telemetry-source.ts";

/** Readable by the service's user and group only: no local stranger may speak for the read side. */
const SOCKET_MODE = 0o660;

/** Everything the composition gives to the read side. */
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
/** A running read side. */
export interface Dashboard {
  /** Settles when the first catch-up with the log is done: from then on reads are answered. */
  readonly ready: Promise<void>;
  /**
   * Settles when the log under it was replaced or shortened: what it answers is then a past that is no more. The
   * composition ends the process, and the next one rebuilds.
   */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}

/** Starts the read side; resolves when its socket listens. */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { config, logSource, telemetry, liveSocketPath, readDirectory, socketPath, clock, logger, version } = options;
  await mkdir(readDirectory, { recursive: true });
  const generation = await currentGeneration(readDirectory);
  await dropOlderThan(readDirectory, generation);
  const model = await ReadModel.open(logSource, await generationStores(readDirectory, generation), clock, logger);
  const live = new LiveValues(clock);
  const liveClient = new LiveClient(liveSocketPath, live, clock);
  const channels = new SseChannels();
  const past = new TimeTravel(logSource, clock, (projection) => model.storeOf(projection));
  const services: ReadServices = { model, live, past, telemetry, config, clock };
  const app = createServer(logger);
  addEverything(app, services, channels, version, liveClient);
  addSwitchRoute(app, model, async (next) => {
    const adopted = await model.adopt(await generationStores(readDirectory, next));
    await chooseGeneration(readDirectory, next);
    await dropOlderThan(readDirectory, next);
    return adopted;
  });
  await rm(socketPath, { force: true });
  await app.listen({ path: socketPath });
  await chmod(socketPath, SOCKET_MODE);
  return {
    ready: model.start(),
    lost: model.lost,
    async close() {
      liveClient.close();
      channels.close();
      await app.close();
      await model.close();
    },
  };
}

const PLAIN_PATHS = ["/livez", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json", "/docs", "/problems/:slug"];

function addEverything(
  app: ReturnType<typeof createServer>,
  services: ReadServices,
  channels: SseChannels,
  version: string,
  liveClient: LiveClient,
): void {
  const { model, live, clock } = services;
  const routes = [
    ...routesOfAxes(services),
    ...routesOfTelemetry(services),
    ...routesOfLinks(services),
    ...routesOfCommands(services),
    ...routesOfAlarms(services),
    ...routesOfRuns(services),
    ...routesOfEvents(services, channels),
    ...routesOfLive(services, new LiveStream(model, live, clock), channels),
  ];
  for (const route of routes) addRoute(app, services, route);
  const registry = metricsOf({ model, live, liveClient, channels, clock, version });
  addHealthRoutes(app, model, addTelemetryMetrics(registry, services.telemetry));
  addDocuments(app, routes, version);
  addProblemPages(app);
  addUnknownRoute(app, [...PLAIN_PATHS, ...routes.map((route) => route.path)]);
}
