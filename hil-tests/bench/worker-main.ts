import { systemClock } from "@servofleet/runtime/system-clock";
import { bareFastify } from "./bare-fastify.ts";
import { canary } from "./canary.ts";
import { commandLoad } from "./command-load.ts";
import { lineMasters } from "./line-masters.ts";
import { linePollers } from "./line-pollers.ts";
import { lineStops } from "./line-stops.ts";
import { modbusRtuServer } from "./modbus-rtu-server.ts";
import { modbusTcpServer } from "./modbus-tcp-server.ts";
import { readLoad } from "./read-load.ts";
import { valueServers } from "./value-servers.ts";
import { wireTap } from "./wire-tap.ts";
import type { Ask, Told } from "./worker.ts";
import type { WorkerParts } from "./worker-parts.ts";

const WORKERS: Readonly<
  Record<string, (parts: WorkerParts) => Readonly<Record<string, (argument: never) => unknown>>>
> = {
  "bare-fastify": bareFastify,
  canary,
  "command-load": commandLoad,
  "line-masters": lineMasters,
  "line-pollers": linePollers,
  "line-stops": lineStops,
  "modbus-rtu-server": modbusRtuServer,
  "modbus-tcp-server": modbusTcpServer,
  "read-load": readLoad,
  "value-servers": valueServers,
  "wire-tap": wireTap,
};

const tell = (told: Told) => void process.send?.(told);
const calls = WORKERS[process.argv[2] ?? ""]?.({ clock: systemClock(), note: (note) => tell({ note }) }) ?? {};

process.on("message", async ({ id, call, argument }: Ask) => {
  try {
    tell({ id, value: await calls[call]?.(argument as never) });
  } catch (error) {
    tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
// The bench is gone or has enough: nothing here outlives it.
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => undefined);
