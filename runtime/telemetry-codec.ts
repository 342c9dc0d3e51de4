import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import type { Quality } from "@servofleet/contracts";
import { assert } from "./assert.ts";
import type { RollUp } from "./telemetry-roll-up.ts";
import type { TelemetrySample } from "./telemetry-schema.ts";

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);
/** Of zlib: the fastest level; the next ones gain a few per cent for twice the time. */
const DEFLATE_LEVEL = 1;
/** A body that claims to be larger is damaged. */
const INFLATED_MAX_BYTES = 64 * 1024 * 1024;

const COLUMNS = ["position", "velocity", "followingError", "torque", "temperature"] as const;
const QUALITY_CODES: readonly Quality[] = ["good", "stale", "uncertain", "bad"];
const MOVING_BIT = 4;

/**
 * Samples as columns: the first time, the time steps, one byte of flags each, then the values. Each value is XORed with its
 * predecessor and the bytes of a column are gathered by significance, so that what does not change deflates to nothing.
 * Lossless. Null is NaN.
 */
export function columnsOf(samples: readonly TelemetrySample[]): Buffer {
  const count = samples.length;
  const bytes = Buffer.alloc(4 + count * (8 + 1 + 8 * COLUMNS.length));
  bytes.writeUInt32LE(count, 0);
  let offset = 4;
  let beforeUs = 0;
  for (const { atUs } of samples) {
    bytes.writeDoubleLE(atUs - beforeUs, offset);
    beforeUs = atUs;
    offset += 8;
  }
  for (const { moving, quality } of samples)
    bytes[offset++] = QUALITY_CODES.indexOf(quality) + (moving ? MOVING_BIT : 0);
  for (const column of COLUMNS) {
    writePlanes(
      samples.map((sample) => sample[column] ?? Number.NaN),
      bytes.subarray(offset, offset + 8 * count),
    );
    offset += 8 * count;
  }
  return bytes;
}

/** The samples of a decoded chunk. */
export function samplesOf(axis: TelemetrySample["axis"], bytes: Buffer): TelemetrySample[] {
  const count = bytes.readUInt32LE(0);
  assert(bytes.length === 4 + count * (9 + 8 * COLUMNS.length), "a telemetry chunk is as long as its count says");
  const valuesAt = 4 + 9 * count;
  const [position, velocity, followingError, torque, temperature] = COLUMNS.map((_, index) =>
    readPlanes(bytes.subarray(valuesAt + 8 * count * index, valuesAt + 8 * count * (index + 1)), count),
  );
  const known = (values: Float64Array | undefined, i: number): number | null => {
    const value = values?.[i] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  };
  let atUs = 0;
  return Array.from({ length: count }, (_, i) => {
    atUs += bytes.readDoubleLE(4 + 8 * i);
    const flags = bytes[4 + 8 * count + i] ?? 0;
    return {
      axis,
      atUs,
      position: known(position, i) ?? 0,
      velocity: known(velocity, i),
      followingError: known(followingError, i),
      torque: known(torque, i),
      temperature: known(temperature, i),
      moving: (flags & MOVING_BIT) !== 0,
      quality: QUALITY_CODES[flags % MOVING_BIT] ?? "uncertain",
    };
  });
}

function writePlanes(values: readonly number[], into: Buffer): void {
  const bits = new BigUint64Array(Float64Array.from(values).buffer);
  let before = 0n;
  for (const [i, value] of bits.entries()) {
    let changed = value ^ before;
    before = value;
    for (let plane = 0; changed !== 0n; plane++, changed >>= 8n)
      into[plane * values.length + i] = Number(changed & 0xffn);
  }
}

function readPlanes(from: Buffer, count: number): Float64Array {
  const bits = new BigUint64Array(count);
  let before = 0n;
  for (let i = 0; i < count; i++) {
    let changed = 0n;
    for (let plane = 7; plane >= 0; plane--) changed = (changed << 8n) | BigInt(from[plane * count + i] ?? 0);
    before ^= changed;
    bits[i] = before;
  }
  return new Float64Array(bits.buffer);
}

/** The body of a raw or black box chunk. Deflates on the thread pool: the loop of the controller has a stop to serve. */
export const encodeSamples = (samples: readonly TelemetrySample[]): Promise<Buffer> =>
  deflate(columnsOf(samples), { level: DEFLATE_LEVEL });

/** Rejects with zlib's error or AssertionFailed for a damaged body. */
export const decodeSamples = async (axis: TelemetrySample["axis"], body: Uint8Array): Promise<TelemetrySample[]> =>
  samplesOf(axis, await inflate(body, { maxOutputLength: INFLATED_MAX_BYTES }));

/** The body of a roll-up chunk. */
export const encodeRollUps = (rollUps: readonly RollUp[]): Promise<Buffer> =>
  deflate(JSON.stringify(rollUps), { level: DEFLATE_LEVEL });

/** Reads a chunk of roll-ups. */
export const decodeRollUps = async (body: Uint8Array): Promise<RollUp[]> =>
  JSON.parse((await inflate(body, { maxOutputLength: INFLATED_MAX_BYTES })).toString("utf8")) as RollUp[];
