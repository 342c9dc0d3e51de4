import type { RegisterFact } from "./profile-schema.ts";

export type WordOrder = "high-first" | "low-first";

/** Raw value of one or two registers. */
export function fromWords(words: readonly number[], type: RegisterFact["type"], order: WordOrder): number {
  const [first = 0, second = 0] = words;
  if (type === "u8") return first & 0xff;
  if (type === "i8") return (first << 24) >> 24;
  if (type === "u16") return first & 0xffff;
  if (type === "i16") return (first << 16) >> 16;
  const [high, low] = order === "high-first" ? [first, second] : [second, first];
  const bits = (high << 16) | low;
  return type === "i32" ? bits : bits >>> 0;
}

/** Registers of a raw whole number; undefined when it does not fit the type. */
export function toWords(raw: number, type: RegisterFact["type"], order: WordOrder): readonly number[] | undefined {
  if (!Number.isInteger(raw) || !fitsRegister(raw, type)) return undefined;
  if (bytesOf(type) === 1) return [raw & 0xff];
  if (bytesOf(type) === 2) return [raw & 0xffff];
  const high = (raw >>> 16) & 0xffff;
  const low = raw & 0xffff;
  return order === "high-first" ? [high, low] : [low, high];
}

/** Size of a value in a drive that counts bytes. */
export function bytesOf(type: RegisterFact["type"]): 1 | 2 | 4 {
  if (type === "u8" || type === "i8") return 1;
  return type === "u32" || type === "i32" ? 4 : 2;
}

/** Sign bit of a sign-magnitude type; undefined for the others. */
export const signBitOf = (type: RegisterFact["type"]): number | undefined =>
  type === "s16" ? 15 : type === "s11" ? 10 : undefined;

/** Whether a whole number can stand in a register of the type. */
export function fitsRegister(raw: number, type: RegisterFact["type"]): boolean {
  switch (type) {
    case "u8":
      return raw >= 0 && raw <= 0xff;
    case "i8":
      return raw >= -0x80 && raw <= 0x7f;
    case "u16":
      return raw >= 0 && raw <= 0xffff;
    case "i16":
      return raw >= -0x8000 && raw <= 0x7fff;
    case "u32":
      return raw >= 0 && raw <= 0xffff_ffff;
    case "i32":
      return raw >= -0x8000_0000 && raw <= 0x7fff_ffff;
    case "s16":
      return Math.abs(raw) < 0x8000;
    case "s11":
      return Math.abs(raw) < 0x400;
  }
}
