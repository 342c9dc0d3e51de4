import type { ModbusRequest } from "@servofleet/firmware-bridge/link/link";
import fc from "fast-check";

const WRITE_MAX = 123;
const word = fc.nat(0xffff);

/** Any request of the three functions that stays within `registers` registers. */
export function registerRequest(registers: number): fc.Arbitrary<ModbusRequest> {
  const address = fc.nat(registers - 1);
  const span = fc
    .record({ address, quantity: fc.integer({ min: 1, max: WRITE_MAX }) })
    .map((at) => ({ address: at.address, quantity: Math.min(at.quantity, registers - at.address) }));
  return fc.oneof(
    span.map((at) => ({ fn: "read" as const, ...at })),
    fc.record({ address, value: word }).map((at) => ({ fn: "write" as const, ...at })),
    span.chain(({ address: first, quantity }) =>
      fc
        .array(word, { minLength: quantity, maxLength: quantity })
        .map((values) => ({ fn: "write-many" as const, address: first, values })),
    ),
  );
}
