import type { LinkConfig, LinkId } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { lineCost, plannedLoad, stopBoundMs, transactionMicros } from "./bus-cost.ts";
import type { ModbusRequest } from "./link.ts";

const rtu = (baud: number, parity: "none" | "even" = "none", stopWaitMaxMs = 5): LinkConfig => ({
  id: "line_t" as LinkId,
  kind: "modbus-rtu",
  port: "/dev/null",
  baud,
  parity,
  stopBits: 1,
  stopWaitMaxMs,
});
const read = (quantity: number): ModbusRequest => ({ fn: "read", address: 0, quantity });
const write: ModbusRequest = { fn: "write", address: 0, value: 0 };
const writeMany = (count: number): ModbusRequest => ({ fn: "write-many", address: 0, values: Array(count).fill(0) });
const perSecond = (request: ModbusRequest, config: LinkConfig, turnaroundUs: number) =>
  1e6 / transactionMicros(request, lineCost(config, turnaroundUs));

// Worked out by hand from 1 / (c*(Lreq+Lresp) + 2*t3.5 + d); Modbus over serial line v1.02, 2.5.1.1.
test.each([
  [read(2), rtu(9600), 0, 40.0],
  [read(10), rtu(19_200), 1000, 45.8],
  [read(10), rtu(115_200), 0, 157],
  [read(20), rtu(115_200), 5000, 76.3],
  [read(125), rtu(921_600), 0, 157],
  [write, rtu(115_200), 0, 205],
  [writeMany(2), rtu(9600), 5000, 29.3],
  [writeMany(8), rtu(115_200), 0, 157],
  [read(10), rtu(115_200, "even"), 1000, 131],
  [write, rtu(19_200, "even"), 0, 75.9],
])("%j costs what the line takes for it", (request, config, turnaroundUs, expected) => {
  const rate = perSecond(request, config, turnaroundUs);
  expect(Math.abs(rate / expected - 1)).toBeLessThan(0.005);
});

test.each([
  [10, 9600, 55],
  [20, 19_200, 40],
  [60, 115_200, 21],
  [125, 9600, 295],
])("a stop behind a read of %i registers at %i baud starts within the bound", (quantity, baud, toLastByteMs) => {
  // The reference figure runs to the last byte of the stop frame; ours to its first.
  const stopFrameMs = (8 * 10 * 1000) / baud;
  expect(stopBoundMs(lineCost(rtu(baud)), 0, [read(quantity)]) + stopFrameMs).toBeCloseTo(toLastByteMs, -0.5);
});

test("each stop ahead costs one transaction, and a longer reply wait is part of the bound", () => {
  const line = lineCost(rtu(115_200));
  expect(stopBoundMs(line, 3) - stopBoundMs(line, 0)).toBeCloseTo((3 * transactionMicros(write, line)) / 1000, 9);
  expect(stopBoundMs(lineCost(rtu(115_200, "none", 50)), 0) - stopBoundMs(line, 0)).toBeCloseTo(45, 9);
});

test("the planned load is the sum of the polls", () => {
  const line = lineCost(rtu(115_200));
  const polls = [10, 10, 10].map((quantity) => ({ request: read(quantity), periodMs: 20 }));
  expect(plannedLoad(polls, line)).toBeCloseTo((3 * transactionMicros(read(10), line)) / 20_000, 9);
});
