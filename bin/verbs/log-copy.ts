import { createWriteStream, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { backUpLog } from "@servofleet/controller/event-log/log-backup";
import { exportedEvents } from "@servofleet/controller/event-log/log-export";
import { restoreLog } from "@servofleet/controller/event-log/log-restore";
import { LogReader } from "@servofleet/runtime/log-reader";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { existingLog } from "./log-verify.ts";
import type { Output } from "./output.ts";

/** `log backup`: a verified copy, beside a running box too. */
export async function backUp(data: string, out: Output, target: string): Promise<number> {
  const directory = resolve(target);
  const found = await backUpLog(existingLog(data), directory, systemClock());
  out.show(
    { directory, ...found },
    () => `${directory}: ${found.events} events, verified, signed through position ${found.signedThrough}`,
  );
  return 0;
}

/** `log restore`: a backup in the place of the log, under a new log id. */
export async function restore(
  data: string,
  out: Output,
  backup: string,
  options: { replace: boolean; publicKey?: string },
): Promise<number> {
  const restored = await restoreLog({
    backup: resolve(backup),
    directory: data,
    replace: options.replace,
    ...(options.publicKey ? { publicKeys: readFileSync(options.publicKey, "utf8") } : {}),
    clock: systemClock(),
    random: systemRandom(),
  });
  const { logId, position, movedTo } = restored;
  out.show({ logId, position, movedTo }, () =>
    [
      `${data}: restored up to position ${position} as ${logId}; what followed the former log begins anew`,
      ...(movedTo ? [`the former log is in ${movedTo}`] : []),
    ].join("\n"),
  );
  return 0;
}

/** `log export`: CloudEvents, one JSON document per line. */
export async function exportLog(
  data: string,
  options: { after: number; until?: number; output?: string },
): Promise<number> {
  const reader = await LogReader.open({ file: existingLog(data), clock: systemClock() });
  if (!reader) return 1;
  try {
    const until = options.until ?? (await reader.newestPosition());
    const lines = Readable.from(linesOf(reader, options.after, until));
    if (options.output) await pipeline(lines, createWriteStream(options.output, { flags: "wx" }));
    else await pipeline(lines, process.stdout, { end: false });
  } finally {
    await reader.close();
  }
  return 0;
}

async function* linesOf(reader: LogReader, after: number, until: number): AsyncGenerator<string> {
  for await (const event of exportedEvents(reader, { after, until })) yield `${JSON.stringify(event)}\n`;
}
