import fc from "fast-check";
import { expect, test } from "vitest";
import { type ExpectedReply, expectedReply } from "../modbus/expected-reply.ts";
import { exceptionIsAmbiguous, type Ghosts, guard, NO_GHOSTS, withGhost } from "./ghost-guard.ts";
import type { ModbusRequest } from "./link.ts";

const value = fc.integer({ min: 0, max: 3 });
const request: fc.Arbitrary<ModbusRequest> = fc.oneof(
  fc.record({ fn: fc.constant("read" as const), address: value, quantity: fc.integer({ min: 1, max: 125 }) }),
  fc.record({ fn: fc.constant("write" as const), address: value, value }),
  fc.record({
    fn: fc.constant("write-many" as const),
    address: value,
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
  }),
);
const sameShape = (a: ExpectedReply, b: ExpectedReply) => JSON.stringify(a) === JSON.stringify(b);
const asked = (ghosts: Ghosts, wanted: ModbusRequest, mayPad: boolean) => {
  const guarded = guard(ghosts, wanted, false, mayPad);
  return guarded.ask === "padded" || guarded.ask === "flush" ? guarded.request : wanted;
};

test("no late answer of another meaning fits what is asked", () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 8 }), request, fc.boolean(), (late, wanted, mayPad) => {
      const ghosts = late.reduce(withGhost, NO_GHOSTS);
      const now = asked(ghosts, wanted, mayPad);
      for (const ghost of ghosts) {
        const meansTheSame = now.fn !== "read" && JSON.stringify(ghost) === JSON.stringify(now);
        if (!meansTheSame) expect(sameShape(expectedReply(1, ghost), expectedReply(1, now))).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
});

test("without late answers everything is asked as it is", () => {
  fc.assert(
    fc.property(request, fc.boolean(), (wanted, stop) => {
      expect(guard(NO_GHOSTS, wanted, stop, true)).toEqual({ ask: "as-is" });
    }),
  );
});

test("a stop is never kept back by a question", () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 8 }), request, (late, wanted) => {
      fc.pre(wanted.fn !== "read");
      const { ask } = guard(late.reduce(withGhost, NO_GHOSTS), wanted, true, true);
      expect(["as-is", "twice"]).toContain(ask);
    }),
  );
});

test("a read is padded by one register, and not over the end of the address space", () => {
  const late: ModbusRequest = { fn: "read", address: 1, quantity: 2 };
  expect(guard([late], late, false, true)).toEqual({ ask: "padded", request: { ...late, quantity: 3 } });
  const last: ModbusRequest = { fn: "read", address: 0xfffe, quantity: 2 };
  expect(guard([late], last, false, true)).toEqual({ ask: "flush", request: { ...last, quantity: 1 } });
  expect(exceptionIsAmbiguous([late], last)).toBe(true);
  expect(exceptionIsAmbiguous([late], { fn: "write", address: 1, value: 1 })).toBe(false);
});
