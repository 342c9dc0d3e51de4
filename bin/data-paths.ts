import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Where everything of one box lies; made once by whoever starts first. Sockets are under `run`, so that their paths stay short. */
export function dataPaths(data: string) {
  return {
    data,
    log: data,
    events: join(data, "events.db"),
    telemetry: join(data, "telemetry.db"),
    read: join(data, "read"),
    run: join(data, "run"),
    controllerSocket: join(data, "run", "controller.sock"),
    dashboardSocket: join(data, "run", "dashboard.sock"),
    liveSocket: join(data, "run", "live.sock"),
  };
}

export type DataPaths = ReturnType<typeof dataPaths>;

/** Creates the directories, readable by owner and group only. */
export function prepareDataDirectories(paths: DataPaths): void {
  for (const directory of [paths.data, paths.read, paths.run]) mkdirSync(directory, { recursive: true, mode: 0o770 });
}
