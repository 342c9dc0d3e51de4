import { randomUUID } from "node:crypto";
import type { DomainEvent, RecordedEvent } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { type AppendOptions, type EventLog, LogError, type NewEvent } from "./event-log.ts";

/** An event of the stream, told apart by `reason`. */
export const newEvent = (stream: NewEvent["stream"], reason: string, more: Partial<NewEvent> = {}): NewEvent => ({
  stream,
  event: { type: "AxisWentOffline", data: { reason } } satisfies DomainEvent,
  ...more,
});
const reasons = (events: readonly RecordedEvent[]) => events.map((event) => (event.data as { reason: string }).reason);
const codeOf = async (promise: Promise<unknown>) =>
  promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof LogError ? error.code : error),
  );

/** The laws that every adapter of EventLog obeys. `open` gives an empty log. */
export function eventLogContract(open: () => Promise<EventLog>): void {
  test("positions count 1, 2, 3 without a gap in the order of the calls, versions per stream", async () => {
    const log = await open();
    const calls = Array.from({ length: 40 }, (_, i) => log.append([newEvent(`axis-a${i % 3}`, `r${i}`)]));
    const recorded = (await Promise.all(calls)).flat();
    expect(recorded.map(({ position }) => position)).toEqual(calls.map((_, i) => i + 1));
    expect(recorded.map(({ version }) => version)).toEqual(calls.map((_, i) => Math.floor(i / 3) + 1));
    expect(reasons(await log.read(0, 1000))).toEqual(calls.map((_, i) => `r${i}`));
    expect(log.position).toBe(40);
  });

  test("what append returns is what is read, by position, stream, command and id", async () => {
    const log = await open();
    const commandId = randomUUID();
    const more = { id: commandId, commandId, actor: "local", causationId: "c1", traceparent: "00-ab-cd-01" };
    const recorded = await log.append([
      newEvent("axis-x1", "größer 😀 \u0000 \ud800", more),
      newEvent("link-line_a", "second", { commandId, correlationId: "k" }),
    ]);
    expect(await log.read(0, 10)).toEqual(recorded);
    expect(await log.readStream("axis-x1", 0, 10)).toEqual(recorded.slice(0, 1));
    expect(await log.readCommand(commandId)).toEqual(recorded);
    expect(await log.findById(commandId)).toEqual(recorded[0]);
    expect(await log.findById(randomUUID())).toBeUndefined();
    expect(recorded[0]).toMatchObject({ correlationId: commandId, epoch: log.epoch, boot: log.boot, actor: "local" });
  });

  test("a page begins after the given position or version and holds at most its limit", async () => {
    const log = await open();
    await log.append(Array.from({ length: 9 }, (_, i) => newEvent(i % 2 ? "axis-a" : "axis-b", `r${i + 1}`)));
    expect(reasons(await log.read(4, 3))).toEqual(["r5", "r6", "r7"]);
    expect(reasons(await log.readStream("axis-a", 1, 2))).toEqual(["r4", "r6"]);
    expect(await log.read(9, 3)).toEqual([]);
  });

  test("an id is in the log once: only the call that repeats it is refused, and nothing of it is written", async () => {
    const log = await open();
    const [old, fresh] = [randomUUID(), randomUUID()];
    await log.append([newEvent("axis-a", "first", { id: old })]);
    const answers = await Promise.all([
      codeOf(log.append([newEvent("axis-a", "before")])),
      codeOf(log.append([newEvent("axis-a", "with it"), newEvent("axis-a", "again", { id: old })])),
      codeOf(log.append([newEvent("axis-a", "fresh", { id: fresh })])),
      codeOf(log.append([newEvent("axis-a", "same turn", { id: fresh })])),
      codeOf(log.append([newEvent("axis-a", "after")])),
    ]);
    expect(answers).toEqual(["resolved", "duplicate-id", "resolved", "duplicate-id", "resolved"]);
    expect(reasons(await log.read(0, 100))).toEqual(["first", "before", "fresh", "after"]);
    expect(await codeOf(log.append([newEvent("axis-a", "much later", { id: fresh })]))).toBe("duplicate-id");
    expect(log.trouble).toBeNull();
  });

  test("a stream that is not where the caller thought refuses this call alone, also inside one commit", async () => {
    const log = await open();
    const at = (expected: NonNullable<AppendOptions["expected"]>) =>
      codeOf(log.append([newEvent("axis-a", "a"), newEvent("axis-b", "b")], { expected }));
    const answers = await Promise.all([
      at({ "axis-a": "exists" }),
      at({ "axis-a": "none", "axis-b": 0 }),
      at({ "axis-a": "none" }),
      at({ "axis-a": 1, "axis-b": 1 }),
      at({ "axis-a": 2, "axis-b": 1 }),
      at({ "axis-a": "exists", "axis-b": "any", "link-never": "none" }),
    ]);
    const conflict = "version-conflict";
    expect(answers).toEqual([conflict, "resolved", conflict, "resolved", conflict, "resolved"]);
    expect((await log.readStream("axis-a", 0, 10)).map(({ version }) => version)).toEqual([1, 2, 3]);
    await expect(log.append([newEvent("axis-a", "a")], { expected: { "axis-b": 7 } })).rejects.toMatchObject({
      facts: { stream: "axis-b", expected: 7, version: 3 },
    });
    expect(log.trouble).toBeNull();
  });

  test("a call of many events is one atomic run of positions, larger than any batch", async () => {
    const log = await open();
    const many = Array.from({ length: 1500 }, (_, i) => newEvent("axis-a", `m${i}`));
    const [recorded] = await Promise.all([log.append(many), log.append([newEvent("axis-b", "other")])]);
    expect(recorded?.map(({ position }) => position)).toEqual(many.map((_, i) => i + 1));
  });

  test("a priority call goes in front of what waits", async () => {
    const log = await open();
    const waiting = Array.from({ length: 1200 }, (_, i) => log.append([newEvent("axis-a", `m${i}`)]));
    const [stop] = await log.append([newEvent("axis-a", "stop")], { priority: true });
    expect(stop?.position).toBeLessThan(1200);
    await Promise.all(waiting);
    expect(log.position).toBe(1201);
  });

  test("too much at once is refused as busy, and what was taken is written", async () => {
    const log = await open();
    const answers = await Promise.all(
      Array.from({ length: 4500 }, () => codeOf(log.append([newEvent("axis-a", "r")]))),
    );
    const taken = answers.filter((answer) => answer === "resolved").length;
    expect(new Set(answers)).toEqual(new Set(["resolved", "log-busy"]));
    expect(log.position).toBe(taken);
  });

  test("data that its schema refuses is a bug and reaches no disk", async () => {
    const log = await open();
    const wrong = { stream: "axis-a", event: { type: "AxisWentOffline", data: { reason: 7 } } } as unknown as NewEvent;
    await expect(log.append([newEvent("axis-a", "good"), wrong])).rejects.toThrow(/AxisWentOffline/);
    await expect(log.append([newEvent("axis-a\n" as "axis-a", "r")])).rejects.toThrow(/no stream/);
    expect(log.position).toBe(0);
  });

  test("a closed log has written what was asked before and refuses what comes after", async () => {
    const log = await open();
    const before = log.append([newEvent("axis-a", "before")]);
    await log.close();
    expect((await before).map(({ position }) => position)).toEqual([1]);
    expect(await codeOf(log.append([newEvent("axis-a", "after")]))).toBe("log-closed");
    await log.close();
  });
}
