import { assert } from "@servofleet/runtime/assert";
import type { ModbusRequest, UnitPart } from "../link/link.ts";

/** The id that every servo listens to (Dynamixel e-manual, Protocol 2.0, packet ID; the SCS protocol has the same). */
export const SERVO_BROADCAST = 0xfe;

/** A request to several units, with its parts. */
export type GroupRequest = ModbusRequest & { readonly parts: readonly UnitPart[] };

export const groupOf = (request: ModbusRequest): GroupRequest | undefined =>
  "parts" in request && request.parts ? { ...request, parts: request.parts } : undefined;

/** Instructions of one protocol for several units; without `bulkRead` all have to be asked for the same bytes. */
export interface GroupInstructions {
  readonly syncRead: number;
  readonly syncWrite: number;
  readonly bulkRead?: number;
}

/**
 * Instruction and parameters of a request to several units: sync write (address, count, then id and data of each), sync
 * read (address, count, ids), bulk read (id, address, count of each). `word` encodes an address or a count.
 */
export function groupParameters(
  request: GroupRequest,
  instructions: GroupInstructions,
  word: (value: number) => readonly number[],
): readonly [instruction: number, ...parameters: number[]] {
  const { parts } = request;
  const [one] = parts;
  assert(one !== undefined, "a request to nobody");
  const range = [...word(one.address), ...word(one.quantity)];
  if (request.fn === "write-many") {
    const each = parts.flatMap(({ unit, quantity }, n) => [
      unit,
      ...request.values.slice(n * quantity, (n + 1) * quantity),
    ]);
    return [instructions.syncWrite, ...range, ...each];
  }
  if (isOneRange(parts)) return [instructions.syncRead, ...range, ...parts.map(({ unit }) => unit)];
  const { bulkRead } = instructions;
  assert(bulkRead !== undefined, "this protocol asks several units for the same bytes only");
  return [bulkRead, ...parts.flatMap(({ unit, address, quantity }) => [unit, ...word(address), ...word(quantity)])];
}

const isOneRange = (parts: readonly UnitPart[]): boolean =>
  parts.every(({ address, quantity }) => address === parts[0]?.address && quantity === parts[0].quantity);
