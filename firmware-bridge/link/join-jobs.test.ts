import type { LinkId } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { lineCost, replyMicros, requestMicros } from "./bus-cost.ts";
import { JOINED_SHARE, JobJoiner } from "./join-jobs.ts";
import { type Job, newJob } from "./line-job.ts";
import { LineSchedule } from "./line-schedule.ts";
import type { LinkError, ModbusRequest, TransactionOptions } from "./link.ts";

const UNITS = Array.from({ length: 30 }, (_, n) => n + 1);
const STOP_WAIT_MS = 20;

/** A line of thirty servos, all of them waiting with the same request. */
function waiting(baud: number, request: (unit: number) => ModbusRequest, options: TransactionOptions) {
  const id = "arm" as LinkId;
  const cost = lineCost({ id, kind: "dynamixel", port: "/nowhere", baud, stopWaitMaxMs: STOP_WAIT_MS });
  const schedule = new LineSchedule<Job>();
  const errors: LinkError[] = [];
  const settle = { resolve: () => undefined, reject: (error: LinkError) => void errors.push(error) };
  for (const unit of UNITS) schedule.add(newJob(unit, request(unit), options, 0, settle));
  const sick = new Set<number>();
  const joiner = new JobJoiner({
    together: { syncRead: UNITS, bulkRead: [], syncWrite: UNITS },
    cost,
    nowMs: () => 0,
    isWell: (unit) => !sick.has(unit),
    broadcastUnit: 254,
    again: (job) => void schedule.add(job),
  });
  const next = (): Job => joiner.join(schedule.take(() => true) as Job, schedule) as Job;
  const micros = (job: Job) => requestMicros(job.request, cost) + replyMicros(job.request, cost);
  return { next, schedule, sick, micros, errors };
}

const read = (): ModbusRequest => ({ fn: "read", address: 122, quantity: 25 });
const write = (): ModbusRequest => ({ fn: "write-many", address: 108, values: Array<number>(12).fill(1) });
const LIMIT_US = JOINED_SHARE * STOP_WAIT_MS * 1000;

test("a joined read takes as many as a stop may wait for, and all who wait come in their turn", () => {
  const line = waiting(1_000_000, read, { class: "poll" });
  const asked: number[] = [];
  while (line.schedule.size > 0) {
    const job = line.next();
    expect(line.micros(job)).toBeLessThanOrEqual(LIMIT_US);
    asked.push(...(job.members ?? [job]).map(({ unit }) => unit));
  }
  expect(asked).toEqual(UNITS);
  expect(waiting(9600, read, { class: "poll" }).next().members).toBeUndefined();
});

test("a joined start takes no more of the wire either", () => {
  for (const baud of [57_600, 1_000_000]) {
    const job = waiting(baud, write, { class: "command", mayJoin: true }).next();
    expect(job.members?.length).toBeGreaterThan(1);
    expect(job.unit).toBe(254);
  }
  const slow = waiting(57_600, write, { class: "command", mayJoin: true });
  expect(slow.micros(slow.next())).toBeLessThanOrEqual(LIMIT_US);
});

test("who is not well, stops, probes and writes that do not ask for it go alone", () => {
  const line = waiting(1_000_000, read, { class: "poll" });
  for (const unit of UNITS.slice(1)) line.sick.add(unit);
  expect(line.next().members).toBeUndefined();
  expect(waiting(1_000_000, write, { class: "command" }).next().members).toBeUndefined();
  expect(waiting(1_000_000, write, { class: "stop", mayJoin: false }).next().members).toBeUndefined();
  expect(waiting(1_000_000, read, { class: "probe" }).next().members).toBeUndefined();
});

test("whoever may not be sent any more is left out of the frame, and told so", () => {
  const barred = new Set([2, 3]);
  const line = waiting(1_000_000, write, { class: "command", mayJoin: true });
  for (const job of line.schedule.list("command")) {
    const reason = barred.has(job.unit) ? "stopped" : undefined;
    Object.assign(job, { options: { ...job.options, beforeFirstByte: () => reason } });
  }
  const units = line.next().members?.map(({ unit }) => unit);
  expect(units).not.toContain(2);
  expect(units).toContain(4);
  expect(line.errors.map(({ code, facts }) => [code, facts["unit"]])).toEqual([
    ["withdrawn", 2],
    ["withdrawn", 3],
  ]);
});
