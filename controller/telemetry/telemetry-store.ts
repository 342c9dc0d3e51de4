import { rename, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { AxisId } from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import { type SqliteConnection, SqliteDatabase, SqliteError } from "@servofleet/runtime/sqlite";
import { encodeRollUps, encodeSamples } from "@servofleet/runtime/telemetry-codec";
import { joinRollUps, type RollUp, rollUpOfSample } from "@servofleet/runtime/telemetry-roll-up";
import {
  CHUNK_SPAN_MAX_US,
  LEVELS,
  type Level,
  MINUTE_US,
  SECOND_US,
  TELEMETRY_TABLES,
  type TelemetrySample,
} from "@servofleet/runtime/telemetry-schema";
import { BlackBox } from "./black-box.ts";
import { forgetOld, SIZE_MAX_BYTES } from "./telemetry-retention.ts";

/** What a power cut may take: a flush every 100 ms wrote 77 GB a day for 32 axes, one every 5 s 1.4 GB (measured). */
export const FLUSH_PERIOD_MS = 5000;
const FORGET_PERIOD_MS = 60_000;
/** Steps of forgetting in one go; a flush may come between two of them. */
const FORGET_STEPS_MAX = 100;
/** Samples waiting in memory; beyond it the newest are dropped and counted, as the disk does not keep up. */
const WAITING_MAX = 100_000;
const PRAGMAS = `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000; PRAGMA mmap_size = 0;
  PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -512`;
const KEEP_STATE = `INSERT INTO telemetry_state(only, budget_bytes, lost) VALUES (1, ?1, ?2)
  ON CONFLICT(only) DO UPDATE SET budget_bytes = ?1, lost = ?2 WHERE budget_bytes <> ?1 OR lost <> ?2`;
const INSERT = `INSERT INTO chunks(axis, level, from_us, to_us, count, body)
  SELECT value->>0, value->>1, value->>2, value->>3, value->>4, unhex(value->>5) FROM json_each(?1)`;

interface AxisBuffer {
  waiting: TelemetrySample[];
  /** The minute that is still growing. */
  minute: RollUp | undefined;
  readonly blackBox: BlackBox;
}
type ChunkRow = readonly [axis: string, level: Level, fromUs: number, toUs: number, count: number, bodyHex: string];

export interface TelemetryOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly sizeMaxBytes?: number;
  /** Free bytes of the disk that the file lies on. */
  readonly freeSpace?: () => Promise<number>;
}

/**
 * Opens (or makes) telemetry.db. A damaged one is put aside as `<file>.damaged` and a new one begun: samples never keep an
 * axis from moving. Rejects with SqliteError.
 */
export async function openTelemetryStore(options: TelemetryOptions): Promise<TelemetryStore> {
  const database = await openDatabase(options.file).catch(async (error: unknown) => {
    const damaged = error instanceof SqliteError && ["SQLITE_NOTADB", "SQLITE_CORRUPT"].includes(error.code);
    if (!damaged) throw error;
    for (const part of ["-wal", "-shm"]) await rm(options.file + part, { force: true });
    await rename(options.file, `${options.file}.damaged`);
    return openDatabase(options.file);
  });
  return new TelemetryStore(database, options);
}

async function openDatabase(file: string): Promise<SqliteDatabase> {
  const database = await SqliteDatabase.open(file);
  try {
    await database.exec(PRAGMAS);
    await database.exec(`BEGIN IMMEDIATE; ${TELEMETRY_TABLES} COMMIT`);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Keeps the samples of every axis. Lossy by design: nothing here ever waits for the disk but `flush` and `close`. */
export class TelemetryStore {
  readonly #database: SqliteConnection;
  readonly #clock: Clock;
  readonly #sizeMaxBytes: number;
  readonly #freeSpace: () => Promise<number>;
  readonly #axes = new Map<AxisId, AxisBuffer>();
  readonly #timers: readonly Timer[];
  /** Black box halves on their way to the disk. */
  #kept: { readonly axis: AxisId; readonly samples: readonly TelemetrySample[] }[] = [];
  #waitingCount = 0;
  #lost = 0;
  #trouble: string | null = null;
  #working: Promise<void> = Promise.resolve();
  /** A flush that has been asked for and has not begun: it will take everything with it. */
  #nextFlush: Promise<void> | undefined;
  #forgetting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(database: SqliteConnection, options: TelemetryOptions) {
    this.#database = database;
    this.#clock = options.clock;
    this.#sizeMaxBytes = options.sizeMaxBytes ?? SIZE_MAX_BYTES;
    this.#freeSpace = options.freeSpace ?? (() => freeBytes(dirname(options.file)));
    this.#timers = [
      this.#clock.every(FLUSH_PERIOD_MS, () => void this.flush()),
      this.#clock.every(FORGET_PERIOD_MS, () => void this.forget()),
    ];
  }

  /** Samples dropped or not written since the start, and the SQLite code of the last flush if it failed. */
  get health(): { readonly lost: number; readonly trouble: string | null } {
    return { lost: this.#lost, trouble: this.#trouble };
  }

  add(sample: TelemetrySample): void {
    if (this.#closing) return;
    const buffer = this.#bufferOf(sample.axis);
    const second = buffer.blackBox.add(sample);
    if (second) this.#kept.push({ axis: sample.axis, samples: second });
    if (this.#waitingCount >= WAITING_MAX) {
      this.#lost += 1;
      return;
    }
    buffer.waiting.push(sample);
    this.#waitingCount += 1;
  }

  /** A fault of the axis: its black box is kept, and what is known is written at once. */
  fault(axis: AxisId, atUs: number): void {
    if (this.#closing) return;
    const samples = this.#bufferOf(axis).blackBox.capture(atUs);
    if (samples.length > 0) this.#kept.push({ axis, samples });
    void this.flush();
  }

  /** Writes what waits. Never rejects: what the disk refuses is counted as lost. */
  flush(): Promise<void> {
    if (this.#nextFlush) return this.#nextFlush;
    this.#nextFlush = this.#working.then(() => {
      this.#nextFlush = undefined;
      return this.#flush(false);
    });
    this.#working = this.#nextFlush;
    return this.#nextFlush;
  }

  /** Forgets what is too old or too much, in steps that let flushes through. Never rejects. */
  forget(): Promise<void> {
    this.#forgetting ??= this.#forget().finally(() => {
      this.#forgetting = undefined;
    });
    return this.#forgetting;
  }

  async #forget(): Promise<void> {
    // A disk that cannot be asked is no reason to forget.
    const free = await this.#freeSpace().catch(() => Number.POSITIVE_INFINITY);
    const budget = { sizeMaxBytes: this.#sizeMaxBytes, freeBytes: free };
    let more = true;
    for (let step = 0; step < FORGET_STEPS_MAX && more && !this.#closing; step++) {
      more = false;
      this.#working = this.#working
        .then(async () => {
          if (step === 0) await this.#database.run(KEEP_STATE, [this.#sizeMaxBytes, this.#lost]);
          more = await forgetOld(this.#database, this.#clock.wallUs(), budget);
        })
        .catch((error: unknown) => this.#failed(error));
      await this.#working;
    }
  }

  close(): Promise<void> {
    if (this.#closing) return this.#closing;
    for (const timer of this.#timers) timer.cancel();
    for (const [axis, { blackBox }] of this.#axes) {
      const samples = blackBox.finish();
      if (samples.length > 0) this.#kept.push({ axis, samples });
    }
    this.#closing = this.#working.then(() => this.#flush(true)).then(() => this.#database.close());
    return this.#closing;
  }

  #bufferOf(axis: AxisId): AxisBuffer {
    const known = this.#axes.get(axis);
    if (known) return known;
    const made: AxisBuffer = { waiting: [], minute: undefined, blackBox: new BlackBox(axis) };
    this.#axes.set(axis, made);
    return made;
  }

  async #flush(last: boolean): Promise<void> {
    const rows: ChunkRow[] = [];
    let count = 0;
    for (const { axis, samples } of this.#kept.splice(0))
      rows.push(...(await sampleRows(axis, LEVELS.blackBox, samples)));
    for (const [axis, buffer] of this.#axes) {
      const samples = buffer.waiting;
      buffer.waiting = [];
      this.#waitingCount -= samples.length;
      count += samples.length;
      // One axis a turn: the deflating in between lets a stop through.
      rows.push(...(await sampleRows(axis, LEVELS.raw, samples)), ...(await rollUpRows(axis, buffer, samples, last)));
    }
    if (rows.length === 0) return;
    try {
      await this.#database.run(INSERT, [JSON.stringify(rows)]);
      this.#trouble = null;
    } catch (error) {
      this.#lost += count;
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#trouble = error instanceof SqliteError ? error.code : String(error);
  }
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** One row per run of samples that go forward in time and fit in one chunk: the wall clock may have been set. */
async function sampleRows(axis: AxisId, level: Level, samples: readonly TelemetrySample[]): Promise<ChunkRow[]> {
  const runs: TelemetrySample[][] = [];
  for (const sample of samples) {
    const run = runs.at(-1);
    const [first, last] = [run?.[0], run?.at(-1)];
    if (run && first && last && sample.atUs >= last.atUs && sample.atUs - first.atUs < CHUNK_SPAN_MAX_US)
      run.push(sample);
    else runs.push([sample]);
  }
  const rows: ChunkRow[] = [];
  for (const run of runs) {
    const [first, last] = [run[0], run.at(-1)];
    if (!first || !last) continue;
    rows.push([axis, level, first.atUs, last.atUs, run.length, (await encodeSamples(run)).toString("hex")]);
  }
  return rows;
}

/** Seconds are written with every flush (parts of one second are joined when read), minutes when they are over. */
async function rollUpRows(
  axis: AxisId,
  buffer: AxisBuffer,
  samples: readonly TelemetrySample[],
  last: boolean,
): Promise<ChunkRow[]> {
  const seconds = joinRollUps(samples.map(rollUpOfSample), SECOND_US);
  const minutes = joinRollUps([...(buffer.minute ? [buffer.minute] : []), ...seconds], MINUTE_US);
  buffer.minute = last ? undefined : minutes.pop();
  const row = async (level: Level, part: readonly RollUp[], widthUs: number): Promise<ChunkRow[]> => {
    const [from, to] = [part[0], part.at(-1)];
    if (!from || !to) return [];
    const count = part.reduce((sum, rollUp) => sum + rollUp.count, 0);
    const hex = (await encodeRollUps(part)).toString("hex");
    return [[axis, level, from.fromUs, to.fromUs + widthUs - 1, count, hex]];
  };
  // No row spans more than a minute: the clock may have been set inside one flush.
  const byMinute = Object.values(Object.groupBy(seconds, ({ fromUs }) => String(Math.floor(fromUs / MINUTE_US))));
  const secondRows = await Promise.all(byMinute.map((part) => row(LEVELS.second, part ?? [], SECOND_US)));
  const minuteRows = await Promise.all(minutes.map((minute) => row(LEVELS.minute, [minute], MINUTE_US)));
  return [...secondRows.flat(), ...minuteRows.flat()];
}
