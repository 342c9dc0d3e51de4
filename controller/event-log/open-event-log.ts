import { mkdir, open, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BoxId } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { acquireLockFile, LockHeld } from "@servofleet/runtime/lock-file";
import { LOG_FILE } from "@servofleet/runtime/log-schema";
import { uuidV7 } from "@servofleet/runtime/random-id";
import { type SqliteConnection, SqliteDatabase } from "@servofleet/runtime/sqlite";
import type { SealStep } from "./archive-file.ts";
import { LOG_RETENTION, type LogRetention } from "./archive-plan.ts";
import { CHECKPOINT_CADENCE, type CheckpointCadence } from "./checkpoint-keeper.ts";
import { raiseEpoch, readyTables, setPragmas, verifiedHead } from "./log-database.ts";
import { openLogSigner } from "./log-key.ts";
import { LogOpenError } from "./log-open-error.ts";
import { restoreUnderWay } from "./log-restore.ts";
import { rewriteWal } from "./rewrite-wal.ts";
import { SqliteEventLog } from "./sqlite-event-log.ts";

export interface EventLogOptions {
  /** Data directory on a local disk; made when missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly box: BoxId | string;
  /** Free bytes of the data directory; asked once a second. */
  readonly freeSpace?: () => Promise<number>;
  /** Kind of the data directory's file system, as statfs(2) numbers it. */
  readonly fileSystem?: () => Promise<number>;
  /** Below it motion is refused (`trouble` is `log-full`). */
  readonly reserveBytes?: number;
  /** How often the chain is signed. */
  readonly cadence?: CheckpointCadence;
  /** What stays in the hot file. */
  readonly retention?: LogRetention;
  /** Called after each step of sealing an archive, for tests that end there. */
  readonly onSealStep?: (step: SealStep) => void;
  /** Opens the writer's connection: where a test puts a faulty disk. */
  readonly openWriter?: (file: string) => Promise<SqliteConnection>;
}

/** Opens the one writer of the log in `directory`. Rejects with LogOpenError or SqliteError; then nothing may be written. */
export async function openEventLog(options: EventLogOptions): Promise<SqliteEventLog> {
  const { directory, clock, random } = options;
  await makeDirectory(directory);
  const file = join(directory, LOG_FILE);
  const lock = await acquireLockFile(join(directory, "events.lock")).catch((error: unknown) => {
    throw error instanceof LockHeld ? new LogOpenError("log-in-use", error.facts, error.hint) : error;
  });
  let writer: SqliteConnection | undefined;
  let reader: SqliteConnection | undefined;
  try {
    await refuseNetworkDisk(directory, options.fileSystem ?? (async () => (await statfs(directory)).type));
    await refuseHalfRestored(directory);
    await rewriteWal(file);
    writer = await (options.openWriter ?? ((path) => SqliteDatabase.open(path)))(file);
    await setPragmas(writer);
    const newLogId = `${options.box.slice(0, 40)}-${Buffer.from(random.bytes(6)).toString("hex")}`;
    const { logId } = await readyTables(writer, newLogId);
    const head = await verifiedHead(writer, logId);
    const signer = await openLogSigner(directory);
    const epoch = await raiseEpoch(writer);
    reader = await SqliteDatabase.open(file, { readOnly: true });
    const freeSpace = options.freeSpace ?? (() => freeBytes(directory));
    const identity = { logId, epoch, boot: uuidV7(clock, random) };
    const { reserveBytes } = options;
    return await SqliteEventLog.start({
      ...identity,
      head,
      writer,
      reader,
      lock,
      clock,
      random,
      freeSpace,
      reserveBytes,
      signer,
      cadence: options.cadence ?? CHECKPOINT_CADENCE,
      file,
      retention: options.retention ?? LOG_RETENTION,
      onSealStep: options.onSealStep,
    });
  } catch (error) {
    await reader?.close();
    await writer?.close();
    await lock.release();
    throw error;
  }
}

/** linux/magic.h; their locks and fsyncs are promises of another host. */
const NETWORK_DISKS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB2"],
  [0xff534d42, "CIFS"],
]);

async function refuseNetworkDisk(directory: string, fileSystem: () => Promise<number>): Promise<void> {
  const kind = NETWORK_DISKS.get((await fileSystem()) >>> 0);
  if (kind === undefined) return;
  throw new LogOpenError(
    "log-unfit",
    { directory, kind },
    `the log needs a local disk, and ${directory} is on ${kind}`,
  );
}

async function refuseHalfRestored(directory: string): Promise<void> {
  const mark = await restoreUnderWay(directory);
  if (mark !== undefined)
    throw new LogOpenError("log-restoring", { mark }, 'a restore was interrupted: run "servofleet log restore" again');
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** Makes the directory and syncs its parent: else a power cut could take the whole log with the new directory's name. */
async function makeDirectory(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true });
  if (made === undefined) return;
  const parent = await open(dirname(made), "r");
  await parent.sync().finally(() => parent.close());
}
