import { rm } from "node:fs/promises";
import { join } from "node:path";
import { SWITCH_PATH } from "@servofleet/dashboard-api/http/switch-route";
import {
  chooseGeneration,
  dropOlderThan,
  generationDirectory,
} from "@servofleet/dashboard-api/read-model/read-generation";
import type { Adopted } from "@servofleet/dashboard-api/read-model/read-model";
import { type Rebuilt, type RebuiltProjection, rebuildBeside } from "@servofleet/dashboard-api/read-model/rebuild";
import { acquireLockFile, type LockFile } from "@servofleet/runtime/lock-file";
import { LogReader } from "@servofleet/runtime/log-reader";
import { systemClock } from "@servofleet/runtime/system-clock";
import { BoxInUseError, lockService } from "../box-lock.ts";
import { type DataPaths, dataPaths, prepareDataDirectories } from "../data-paths.ts";
import { call } from "./api-client.ts";
import { existingLog } from "./log-verify.ts";
import type { Output } from "./output.ts";
import { progressShow } from "./read-progress.ts";

/** The service catches up with what was recorded meanwhile before it answers. */
const SWITCH_LIMIT_MS = 120_000;

/**
 * `read rebuild`: every view anew from the first event, in this process and beside what answers; then compared, then
 * switched. `check` only compares. Exit code 1 when `check` found a difference.
 */
export async function rebuildRead(
  data: string,
  out: Output,
  options: { readonly check: boolean },
  signal: AbortSignal,
): Promise<number> {
  const file = existingLog(data);
  const paths = dataPaths(data);
  prepareDataDirectories(paths);
  const lock = await acquireLockFile(join(paths.read, "rebuild.lock"));
  const service = await serviceLock(paths);
  const clock = systemClock();
  const log = await LogReader.open({ file, clock });
  const show = progressShow(out, clock, process.stderr, process.stderr.isTTY === true);
  try {
    if (!log) return 1;
    const { progress } = show;
    const rebuilt = await rebuildBeside({ log, readDirectory: paths.read, clock, progress, signal }).finally(show.end);
    const adopted = options.check ? await dropped(paths, rebuilt) : await switched(paths, rebuilt, service);
    out.show({ ...rebuilt, switched: !options.check, adopted }, () => report(rebuilt, options.check, adopted));
    return options.check && rebuilt.projections.some(({ same }) => same === false) ? 1 : 0;
  } finally {
    await log?.close();
    await service?.release();
    await lock.release();
  }
}

/** Held while no service answers; null while one does. */
async function serviceLock(paths: DataPaths): Promise<LockFile | null> {
  try {
    return await lockService(paths, "dashboard");
  } catch (error) {
    if (error instanceof BoxInUseError) return null;
    throw error;
  }
}

async function switched(
  paths: DataPaths,
  { generation }: Rebuilt,
  service: LockFile | null,
): Promise<Adopted[] | null> {
  if (service === null) {
    const target = { kind: "socket", path: paths.dashboardSocket } as const;
    const limitMs = SWITCH_LIMIT_MS;
    return (await call<{ items: Adopted[] }>(target, "POST", SWITCH_PATH, { body: { generation }, limitMs })).body
      .items;
  }
  await chooseGeneration(paths.read, generation);
  await dropOlderThan(paths.read, generation);
  return null;
}

async function dropped(paths: DataPaths, { generation }: Rebuilt): Promise<null> {
  await rm(generationDirectory(paths.read, generation), { recursive: true, force: true });
  return null;
}

function report({ projections, position, generation }: Rebuilt, check: boolean, adopted: Adopted[] | null): string {
  const drifted = adopted?.filter(({ sameInMemory }) => sameInMemory === false).map(({ projection }) => projection);
  return [
    ...projections.map(comparison),
    ...(drifted && drifted.length > 0 ? [`in memory something else was shown: ${drifted.join(", ")}`] : []),
    check
      ? `compared up to position ${position}; nothing was switched`
      : `switched to generation ${generation}, built up to position ${position}${adopted ? "" : "; it answers from the next start on"}`,
  ].join("\n");
}

function comparison(found: RebuiltProjection): string {
  const { projection, rows, checksum, comparedAt, same, differing, firstDifference } = found;
  const built = `${projection.padEnd(9)} ${rows} rows, sha256 ${checksum.slice(0, 16)}`;
  if (same === null) return `${built}: there was nothing to compare with`;
  return same
    ? `${built}: the same as the live one at position ${comparedAt}`
    : `${built}: ${differing} rows differ from the live one at position ${comparedAt}, first ${firstDifference}`;
}
