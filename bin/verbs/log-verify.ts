import { existsSync, readFileSync } from "node:fs";
import {
  type LogVerification,
  type VerifyOptions,
  verifyLog as verify,
} from "@servofleet/controller/event-log/log-verify";
import type { LogCheckpoint } from "@servofleet/runtime/log-signature";
import { systemClock } from "@servofleet/runtime/system-clock";
import { dataPaths } from "../data-paths.ts";
import { UsageError } from "../exit.ts";
import type { Output } from "./output.ts";

/** The event log of a data directory. Throws UsageError when there is none. */
export function existingLog(data: string): string {
  const { events } = dataPaths(data);
  if (existsSync(events)) return events;
  throw new UsageError(`there is no event log at ${events}`, { file: events }, "name the data directory with --data");
}

/** `log verify`: walks the hash chain and the signatures, beside a running box too. */
export async function verifyLog(
  data: string,
  out: Output,
  options: { publicKey?: string; witness?: string },
): Promise<number> {
  const file = existingLog(data);
  const against: VerifyOptions = {
    ...(options.publicKey ? { publicKeys: textOf(options.publicKey) } : {}),
    ...(options.witness ? { witnesses: [witnessOf(options.witness)] } : {}),
  };
  const found = await verify(file, systemClock(), against);
  out.show({ file, ...found }, () => sentence(file, found));
  return found.ok ? 0 : 1;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`${file} cannot be read`, { file }, "name a file that is there");
  }
}

/** A checkpoint, or the whole answer of an earlier `log verify --json`. */
function witnessOf(file: string): LogCheckpoint {
  try {
    const found = JSON.parse(textOf(file)) as { newestCheckpoint?: LogCheckpoint } & LogCheckpoint;
    const checkpoint = found.newestCheckpoint ?? found;
    if (typeof checkpoint.signature === "string" && Number.isInteger(checkpoint.position)) return checkpoint;
  } catch (error) {
    if (error instanceof UsageError) throw error;
  }
  throw new UsageError(`${file} holds no checkpoint`, { file }, "keep the answer of `servofleet --json log verify`");
}

function sentence(file: string, found: LogVerification): string {
  const { firstBad } = found;
  if (firstBad) {
    const where =
      firstBad.until > firstBad.position
        ? `positions ${firstBad.position} to ${firstBad.until}`
        : `position ${firstBad.position}`;
    return `${file}: ${firstBad.flaw} at ${where}: ${firstBad.detail}`;
  }
  const signed =
    found.newestCheckpoint === null
      ? "nothing of it is signed"
      : `signed through position ${found.signedThrough} by key ${found.newestCheckpoint.keyId}`;
  return `${file}: good. ${found.events} events, newest position ${found.newestPosition}, ${found.archives} archives, ${signed}, head ${found.headHash}`;
}
