import { access } from "node:fs/promises";
import type { AxisId } from "@servofleet/contracts";
import type { Clock } from "./clock.ts";
import { SqliteDatabase } from "./sqlite.ts";
import { decodeRollUps, decodeSamples } from "./telemetry-codec.ts";
import { joinRollUps, type RollUp, rollUpOfSample, type Signal } from "./telemetry-roll-up.ts";
import {
  CHUNK_SPAN_MAX_US,
  LEVELS,
  type Level,
  MINUTE_US,
  SECOND_US,
  type TelemetrySample,
} from "./telemetry-schema.ts";

/** One stored sample in display units. */
export type TelemetryPoint = Omit<TelemetrySample, "axis">;

/** Smallest, largest and mean of a signal in a stretch of time. */
export interface Spread {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** `fromUs <= at < toUs`; a signal that was never known in it is null. */
export type TelemetryBucket = {
  readonly fromUs: number;
  readonly toUs: number;
  readonly count: number;
} & { readonly [S in Signal]: Spread | null };

/** Samples, or buckets where there were too many. */
export type TelemetryAnswer =
  | { readonly kind: "samples"; readonly items: readonly TelemetryPoint[] }
  | { readonly kind: "buckets"; readonly items: readonly TelemetryBucket[] };

/** A question is answered from samples up to so many, from roll-ups of a second up to so many seconds, then of a minute. */
const RAW_SAMPLES_MAX = 50_000;
const SECONDS_MAX = 20_000;
/** A level that begins later than the oldest knowledge by more than this has been thinned out by retention. */
const RETENTION_SLACK_US = CHUNK_SPAN_MAX_US;
const BUSY_TIMEOUT_MS = 2000;

interface Chunk {
  readonly body: Uint8Array;
}
const CHUNKS = `SELECT body FROM chunks WHERE axis = ?1 AND level = ?2 AND from_us BETWEEN ?3 AND ?4 AND to_us >= ?5 ORDER BY from_us`;
const COUNT = `SELECT coalesce(sum(count), 0) AS value FROM chunks
  WHERE axis = ?1 AND level = ?2 AND from_us BETWEEN ?3 AND ?4 AND to_us >= ?5`;
const OLDEST = "SELECT min(from_us) AS value FROM chunks WHERE axis = ?1 AND level = ?2";

const USAGE = `SELECT (page_count - freelist_count) * page_size AS usedBytes, page_count * page_size AS fileBytes,
    budget_bytes AS budgetBytes, lost AS lostSamples
  FROM telemetry_state, pragma_page_count, pragma_freelist_count, pragma_page_size`;
const NEWEST_BEGIN =
  "SELECT max(from_us) AS value FROM chunks WHERE axis = ?1 AND level = ?2 AND to_us >= ?3 AND from_us <= ?4";
/** No capture is longer, and two of them with less time between are one. */
const CAPTURE_US = 60 * SECOND_US;
const CAPTURE_GAP_US = 15 * SECOND_US;

/** What the telemetry file takes of the disk. */
export interface TelemetryUsage {
  /** Pages with samples, */
  readonly usedBytes: number;
  /** the file as a whole (freed pages are used again), */
  readonly fileBytes: number;
  /** and what it may grow to. */
  readonly budgetBytes: number;
  /** Samples that the store had no room or disk for since it was started. */
  readonly lostSamples: number;
}

/** Opens the read side of telemetry.db. The file may come later: until then there are no samples. */
export async function openTelemetryReader(options: {
  readonly file: string;
  readonly clock: Clock;
}): Promise<TelemetryReader> {
  return new TelemetryReader(options.file);
}

/** The telemetry file as another process sees it. */
export class TelemetryReader {
  readonly #file: string;
  #opening: Promise<SqliteDatabase | undefined> | undefined;
  #closed = false;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Samples with `fromUs <= at <= toUs`, ascending; min/max/mean buckets when there would be more than `points` (>= 1).
   * Rejects with SqliteError or zlib's error for a damaged file.
   */
  async read(axis: string, fromUs: number, toUs: number, points: number): Promise<TelemetryAnswer> {
    const database = await this.#open();
    if (!database || toUs < fromUs) return { kind: "samples", items: [] };
    const range = { database, axis, fromUs, toUs };
    const level = await fittingLevel(range);
    if (level === LEVELS.raw) {
      return asAsked(await samplesIn(range, LEVELS.raw), range, points);
    }
    const widthUs = level === LEVELS.minute ? MINUTE_US : SECOND_US;
    return { kind: "buckets", items: buckets(await rollUpsIn(range, level), range, points, widthUs) };
  }

  /** The samples kept around faults of an axis in a stretch of time, ascending. */
  async readBlackBox(axis: string, fromUs: number, toUs: number): Promise<readonly TelemetryPoint[]> {
    const database = await this.#open();
    if (!database) return [];
    const samples = await samplesIn({ database, axis, fromUs, toUs }, LEVELS.blackBox);
    return samples.map(({ axis: _, ...point }) => point);
  }

  /** How much of its disk budget the store uses; undefined before its first minute. Rejects with SqliteError. */
  async usage(): Promise<TelemetryUsage | undefined> {
    const database = await this.#open();
    return database && (await database.get<TelemetryUsage>(USAGE));
  }

  /**
   * The samples around the newest fault of an axis in a stretch of time: half a minute before it and ten seconds after;
   * buckets when there are more than `points` (>= 1). Faults whose captures touch are one. Empty when none was kept.
   * Rejects as `read` does.
   */
  async newestBlackBox(axis: string, fromUs: number, toUs: number, points: number): Promise<TelemetryAnswer> {
    const database = await this.#open();
    const asked = [axis, LEVELS.blackBox, fromUs, toUs];
    const newest = (await database?.get<{ value: number | null }>(NEWEST_BEGIN, asked))?.value ?? null;
    if (!database || newest === null) return { kind: "samples", items: [] };
    const around = { database, axis, fromUs: newest - CAPTURE_US, toUs: newest + CAPTURE_US };
    const near = await samplesIn(around, LEVELS.blackBox);
    const begin = near.findLastIndex(({ atUs }, at) => atUs - (near[at - 1]?.atUs ?? atUs) > CAPTURE_GAP_US);
    const samples = near.slice(Math.max(0, begin));
    const [first, last] = [samples[0]?.atUs ?? newest, samples.at(-1)?.atUs ?? newest];
    return asAsked(samples, { ...around, fromUs: first, toUs: last }, points);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#opening)?.close();
  }

  async #open(): Promise<SqliteDatabase | undefined> {
    if (this.#closed) return undefined;
    this.#opening ??= openFile(this.#file);
    const database = await this.#opening.catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    if (!database) this.#opening = undefined;
    return database;
  }
}

interface Range {
  readonly database: SqliteDatabase;
  readonly axis: string;
  readonly fromUs: number;
  readonly toUs: number;
}

async function openFile(file: string): Promise<SqliteDatabase | undefined> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (!exists) return undefined;
  const database = await SqliteDatabase.open(file, { readOnly: true });
  await database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  if (await database.get("SELECT 1 FROM sqlite_schema WHERE name = 'chunks_age'")) return database;
  await database.close();
  return undefined;
}

const bounds = ({ axis, fromUs, toUs }: Range, level: Level) => [axis, level, fromUs - CHUNK_SPAN_MAX_US, toUs, fromUs];

/** The finest level that still reaches back far enough and is not too much to read. */
async function fittingLevel(range: Range): Promise<Level> {
  const { database, axis, fromUs, toUs } = range;
  const oldest = async (level: Level) =>
    (await database.get<{ value: number | null }>(OLDEST, [axis, level]))?.value ?? Number.POSITIVE_INFINITY;
  const [raw, second, minute] = [await oldest(LEVELS.raw), await oldest(LEVELS.second), await oldest(LEVELS.minute)];
  const startUs = Math.max(fromUs, Math.min(raw, second, minute)) + RETENTION_SLACK_US;
  const count = (await database.get<{ value: number }>(COUNT, bounds(range, LEVELS.raw)))?.value ?? 0;
  if (raw <= startUs && count <= RAW_SAMPLES_MAX) return LEVELS.raw;
  if (second <= startUs && toUs - Math.max(fromUs, second) <= SECONDS_MAX * SECOND_US) return LEVELS.second;
  return minute <= startUs ? LEVELS.minute : LEVELS.second;
}

async function samplesIn(range: Range, level: Level): Promise<TelemetrySample[]> {
  const chunks = await range.database.all<Chunk>(CHUNKS, bounds(range, level));
  const decoded = await Promise.all(chunks.map(({ body }) => decodeSamples(range.axis as AxisId, body)));
  return decoded
    .flat()
    .filter(({ atUs }) => atUs >= range.fromUs && atUs <= range.toUs)
    .sort((a, b) => a.atUs - b.atUs);
}

/** As they are, or in so many buckets when there are more. */
function asAsked(samples: readonly TelemetrySample[], range: Range, points: number): TelemetryAnswer {
  if (samples.length <= points) return { kind: "samples", items: samples.map(({ axis: _, ...point }) => point) };
  return { kind: "buckets", items: buckets(samples.map(rollUpOfSample), range, points, 1) };
}

/** Roll-ups of a level; where minutes are not complete yet, of seconds. */
async function rollUpsIn(range: Range, level: Level): Promise<RollUp[]> {
  const chunks = await range.database.all<Chunk>(CHUNKS, bounds(range, level));
  const decoded = (await Promise.all(chunks.map(({ body }) => decodeRollUps(body)))).flat();
  const widthUs = level === LEVELS.minute ? MINUTE_US : SECOND_US;
  const found = joinRollUps(decoded, widthUs).filter(
    ({ fromUs }) => fromUs + widthUs > range.fromUs && fromUs <= range.toUs,
  );
  if (level !== LEVELS.minute) return found;
  const knownToUs = (found.at(-1)?.fromUs ?? range.fromUs - MINUTE_US) + MINUTE_US;
  if (knownToUs > range.toUs) return found;
  return [...found, ...(await rollUpsIn({ ...range, fromUs: knownToUs }, LEVELS.second))];
}

/** At most `points` buckets, none narrower than what they are made of. */
function buckets(parts: readonly RollUp[], range: Range, points: number, leastUs: number): TelemetryBucket[] {
  const widthUs = Math.max(leastUs, Math.ceil((range.toUs - range.fromUs + 1) / points));
  // A roll-up that begins before the range belongs to the first bucket.
  const inside = parts.map((part) => ({ ...part, fromUs: Math.max(part.fromUs, range.fromUs) }));
  return joinRollUps(inside, widthUs, range.fromUs).map(({ fromUs, count, tallies }) => {
    const spread = (signal: Signal): Spread | null => {
      const tally = tallies[signal];
      return tally ? { min: tally.min, max: tally.max, mean: tally.sum / tally.count } : null;
    };
    return {
      fromUs,
      toUs: Math.min(fromUs + widthUs, range.toUs + 1),
      count,
      position: spread("position"),
      velocity: spread("velocity"),
      followingError: spread("followingError"),
      torque: spread("torque"),
      temperature: spread("temperature"),
    };
  });
}
