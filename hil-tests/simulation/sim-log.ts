import { generateKeyPairSync, sign } from "node:crypto";
import type { RecordedEvent, StreamName } from "@servofleet/contracts";
import { LOG_RETENTION } from "@servofleet/controller/event-log/archive-plan";
import { CHECKPOINT_CADENCE } from "@servofleet/controller/event-log/checkpoint-keeper";
import type { AppendOptions, EventLog, LogErrorCode, NewEvent } from "@servofleet/controller/event-log/event-log";
import { raiseEpoch, readyTables, verifiedHead } from "@servofleet/controller/event-log/log-database";
import type { LogSigner } from "@servofleet/controller/event-log/log-key";
import { SqliteEventLog } from "@servofleet/controller/event-log/sqlite-event-log";
import type { Random } from "@servofleet/runtime/clock";
import { keyIdOf } from "@servofleet/runtime/log-signature";
import { uuidV7 } from "@servofleet/runtime/random-id";
import type { MemoryDisk } from "./memory-disk.ts";
import type { SimLife } from "./sim-life.ts";

/** The log id is part of every hash: two runs of one seed must share it. */
const LOG_ID = "simulation";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const signer: LogSigner = {
  keyId: keyIdOf(publicKey),
  sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64"),
};

/**
 * Opens the production log on the simulated disk, as `openEventLog` does on a real one. What only files have is left out:
 * pragmas, the lock, snapshots. Rejects with LogOpenError or SqliteError.
 */
export async function openSimLog(disk: MemoryDisk, life: SimLife, random: Random): Promise<EventLog> {
  const writer = disk.connect(life);
  const { logId } = await readyTables(writer, LOG_ID);
  const head = await verifiedHead(writer, logId);
  const epoch = await raiseEpoch(writer);
  const log = await SqliteEventLog.start({
    logId,
    epoch,
    boot: uuidV7(life, random),
    head,
    writer,
    reader: disk.connect(life),
    lock: { release: async () => undefined },
    clock: life,
    random,
    freeSpace: async () => disk.freeBytes(),
    reserveBytes: undefined,
    signer,
    cadence: CHECKPOINT_CADENCE,
    file: "/nowhere/events.db",
    retention: LOG_RETENTION,
  });
  return new SimLog(log, life);
}

/** The same log, whose appends are steps of its process, and which keeps no snapshot. */
class SimLog implements EventLog {
  readonly logId: string;
  readonly epoch: number;
  readonly boot: string;
  readonly #log: SqliteEventLog;
  readonly #life: SimLife;

  constructor(log: SqliteEventLog, life: SimLife) {
    this.logId = log.logId;
    this.epoch = log.epoch;
    this.boot = log.boot;
    this.#log = log;
    this.#life = life;
  }

  get position(): number {
    return this.#log.position;
  }

  get trouble(): LogErrorCode | null {
    return this.#log.trouble;
  }

  append(events: readonly NewEvent[], options?: AppendOptions): Promise<readonly RecordedEvent[]> {
    return this.#life.does("append", () => this.#log.append(events, options)) ?? new Promise(() => undefined);
  }

  findById = (id: string): Promise<RecordedEvent | undefined> => this.#log.findById(id);
  read = (after: number, limit: number): Promise<readonly RecordedEvent[]> => this.#log.read(after, limit);
  readStream = (stream: StreamName, after: number, limit: number): Promise<readonly RecordedEvent[]> =>
    this.#log.readStream(stream, after, limit);
  readCommand = (commandId: string): Promise<readonly RecordedEvent[]> => this.#log.readCommand(commandId);
  close = (): Promise<void> => this.#log.close();
}
