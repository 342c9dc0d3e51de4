import type { RegisterFact } from "./profile-schema.ts";
import { bytesOf, fitsRegister, signBitOf, type WordOrder } from "./register-words.ts";

/** Raw value of a register of a drive that counts bytes (servo buses); `low-first` is little-endian. */
export function fromBytes(bytes: readonly number[], type: RegisterFact["type"], order: WordOrder): number {
  const ordered = order === "low-first" ? bytes : [...bytes].reverse();
  const size = bytesOf(type);
  const bits = ordered.slice(0, size).reduce((sum, byte, i) => sum + byte * 2 ** (8 * i), 0);
  const sign = signBitOf(type);
  if (sign !== undefined) {
    const magnitude = bits & ((1 << sign) - 1);
    return (bits & (1 << sign)) === 0 ? magnitude : magnitude === 0 ? 0 : -magnitude;
  }
  const half = 2 ** (8 * size - 1);
  return type.startsWith("i") && bits >= half ? bits - 2 * half : bits;
}

/** Bytes of a raw whole number; undefined when it does not fit the type. */
export function toBytes(raw: number, type: RegisterFact["type"], order: WordOrder): readonly number[] | undefined {
  if (!Number.isInteger(raw) || !fitsRegister(raw, type)) return undefined;
  const size = bytesOf(type);
  const sign = signBitOf(type);
  const bits = sign === undefined ? (raw < 0 ? raw + 2 ** (8 * size) : raw) : Math.abs(raw) + (raw < 0 ? 1 << sign : 0);
  const low = Array.from({ length: size }, (_, i) => Math.floor(bits / 2 ** (8 * i)) % 256);
  return order === "low-first" ? low : low.reverse();
}
