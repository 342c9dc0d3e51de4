import { crc16 } from "../modbus/crc16.ts";

/** What a unit says of itself (Modbus application protocol v1.1b3, 6.21: basic device identification). */
export interface DeviceIdentification {
  readonly vendor: string | null;
  readonly product: string | null;
  readonly revision: string | null;
}

const FUNCTION = 0x2b;
const MEI_TYPE = 0x0e;
/** Unit, function, MEI type, read code, conformity, more follows, next object, object count. */
const HEAD_BYTES = 8;
const EXCEPTION_BYTES = 3;
const NAMES = ["vendor", "product", "revision"] as const;

/** Read device identification, basic category, from object 0; without CRC. */
export const identificationRequest = (unit: number): Uint8Array => Uint8Array.of(unit, FUNCTION, MEI_TYPE, 0x01, 0x00);

/**
 * The answer in the bytes so far, without CRC: `null` when the unit refuses, undefined while it is not whole. `checked`:
 * the two bytes behind must be its CRC (RTU).
 */
export function readIdentification(
  bytes: Uint8Array,
  unit: number,
  checked: boolean,
): DeviceIdentification | null | undefined {
  for (let at = 0; at + EXCEPTION_BYTES <= bytes.length; at++) {
    if (bytes[at] !== unit) continue;
    const refused = bytes[at + 1] === (FUNCTION | 0x80);
    const length = refused ? EXCEPTION_BYTES : answerLength(bytes.subarray(at));
    const end = at + (length ?? Number.POSITIVE_INFINITY) + (checked ? 2 : 0);
    if (end > bytes.length || (checked && crc16(bytes, at, end) !== 0)) continue;
    return refused ? null : objects(bytes.subarray(at, at + (length ?? 0)));
  }
  return undefined;
}

function answerLength(answer: Uint8Array): number | undefined {
  if (answer.length < HEAD_BYTES || answer[1] !== FUNCTION || answer[2] !== MEI_TYPE) return undefined;
  let at = HEAD_BYTES;
  for (let left = answer[7] ?? 0; left > 0; left--) {
    const size = answer[at + 1];
    if (size === undefined) return undefined;
    at += 2 + size;
  }
  return at;
}

function objects(answer: Uint8Array): DeviceIdentification {
  const found: { [name: string]: string } = {};
  for (let at = HEAD_BYTES; at + 2 <= answer.length; ) {
    const size = answer[at + 1] ?? 0;
    const name = NAMES[answer[at] ?? NAMES.length];
    if (name) found[name] = printable(answer.subarray(at + 2, at + 2 + size));
    at += 2 + size;
  }
  return { vendor: found["vendor"] ?? null, product: found["product"] ?? null, revision: found["revision"] ?? null };
}

/** What a device sends goes to a person's terminal: control characters stay out. */
const printable = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?")).join("");
