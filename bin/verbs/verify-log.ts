import { existsSync } from "node:fs";
import { verifyLog as verify } from "@servofleet/controller/event-log/log-verify";
import { systemClock } from "@servofleet/runtime/system-clock";
import { dataPaths } from "../data-paths.ts";
import { UsageError } from "../exit.ts";
import type { Output } from "./output.ts";

/** `log verify`: walks the hash chain, beside a running box too. */
export async function verifyLog(data: string, out: Output): Promise<number> {
  const { events } = dataPaths(data);
  if (!existsSync(events))
    throw new UsageError(`there is no event log at ${events}`, { file: events }, "name the data directory with --data");
  const found = await verify(events, systemClock());
  out.show({ file: events, ...found }, () =>
    found.firstBad
      ? `${events}: position ${found.firstBad.position} is ${found.firstBad.flaw}: ${found.firstBad.detail}`
      : `${events}: good. ${found.events} events, newest position ${found.newestPosition}, head ${found.headHash}`,
  );
  return found.ok ? 0 : 1;
}
