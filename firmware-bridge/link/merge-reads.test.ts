import type { LinkConfig, LinkId } from "@servofleet/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lineCost, transactionMicros } from "./bus-cost.ts";
import type { ReadRequest } from "./link.ts";
import { type MergeFacts, mergeReads, RefusedHoles } from "./merge-reads.ts";
import { virtualConfig } from "./testing/virtual-bench.ts";

const read = (address: number, quantity: number): ReadRequest => ({ fn: "read", address, quantity });
const facts = (config: LinkConfig, more: Partial<MergeFacts> = {}): MergeFacts => ({
  price: (request) => transactionMicros(request, lineCost(config)),
  registersMax: 125,
  isRefused: () => false,
  ...more,
});
/** The widest hole that is still read over. */
const widest = (config: LinkConfig) => {
  let hole = 0;
  while (hole < 120 && mergeReads([read(0, 1), read(2 + hole, 1)], facts(config)).length === 1) hole++;
  return hole;
};

// Worked out by hand from 2*c*g < 13*c + 2*t3.5 + d, d = 1 ms.
test.each([
  [9600, 10],
  [19_200, 10],
  [115_200, 32],
])("at %i baud strict a hole of up to %i registers is read over", (baud, hole) => {
  expect(widest(virtualConfig({ baud }))).toBe(hole);
});

test("the break-even follows the silence, the turn-around that was learned, and the kind of link", () => {
  expect(widest(virtualConfig({ silenceUs: 0 }))).toBe(12);
  const slow = facts(virtualConfig(), {
    price: (request) => transactionMicros(request, lineCost(virtualConfig()), 5000),
  });
  expect(mergeReads([read(0, 1), read(50, 1)], slow)).toHaveLength(1);
  const tcp: LinkConfig = { id: "t" as LinkId, kind: "modbus-tcp", host: "h", port: 502, stopWaitMaxMs: 50 };
  expect(mergeReads([read(0, 1), read(100, 1)], facts(tcp))).toHaveLength(1);
});

test("a refused hole is never read over again", () => {
  const holes = new RefusedHoles();
  const some = facts(virtualConfig(), { isRefused: holes.has });
  const [first] = mergeReads([read(10, 2), read(14, 2), read(20, 1)], some);
  expect(first?.holes).toEqual([
    [12, 14],
    [16, 20],
  ]);
  holes.refuse([[12, 14]]);
  expect(mergeReads([read(10, 2), read(14, 2), read(20, 1)], some).map(({ request }) => request)).toEqual([
    read(10, 2),
    read(14, 7),
  ]);
});

test("merged reads hold every register asked for, cost no more, and stay within the drive's limit", () => {
  const some = fc.array(
    fc.record({ address: fc.integer({ min: 0, max: 300 }), quantity: fc.integer({ min: 1, max: 16 }) }),
    { minLength: 1, maxLength: 8 },
  );
  const most = facts(virtualConfig(), { registersMax: 40 });
  fc.assert(
    fc.property(some, (ranges) => {
      const reads = ranges.map(({ address, quantity }) => read(address, quantity));
      const merged = mergeReads(reads, most);
      expect(merged.flatMap(({ parts }) => parts).toSorted((a, b) => a - b)).toEqual(reads.map((_, i) => i));
      for (const { request, parts } of merged) {
        expect(request.quantity).toBeLessThanOrEqual(40);
        for (const part of parts.map((index) => reads[index] as ReadRequest)) {
          expect(part.address).toBeGreaterThanOrEqual(request.address);
          expect(part.address + part.quantity).toBeLessThanOrEqual(request.address + request.quantity);
        }
      }
      const sum = (requests: readonly ReadRequest[]) => requests.reduce((us, each) => us + most.price(each), 0);
      expect(sum(merged.map(({ request }) => request))).toBeLessThanOrEqual(sum(reads) + 1e-6);
    }),
  );
});
