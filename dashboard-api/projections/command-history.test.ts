import type { EventData, EventType } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { describe, expect, it } from "vitest";
import { Projector } from "../read-model/projector.ts";
import { accepted, LogBuilder } from "../testing/recorded-events.ts";
import { alarmHistory } from "./alarm-history.ts";
import { commandHistory } from "./command-history.ts";

async function endedBy(type: EventType, data: object) {
  const log = new LogBuilder();
  const projector = new Projector(commandHistory, "L", new FakeClock());
  log.add("axis-x1", "MoveAccepted", accepted(10), { commandId: "a" });
  log.add("axis-x1", type, data as EventData<typeof type>, { commandId: "a" });
  log.add("axis-x1", "OutcomeSettled", { settled: "later" }, { commandId: "a" });
  await projector.handle(log.events);
  return projector.rows.get("a");
}

describe("the story of a command", () => {
  it.each([
    ["CommandExpired", { reason: "not sent within 50 ms", frames: [] }, "expired", "not sent within 50 ms"],
    ["CommandIndeterminate", { reason: "nobody knows", frames: [] }, "indeterminate", "nobody knows"],
    ["CommandCancelled", { by: "local", frames: [] }, "cancelled", "by local"],
    ["CommandSuperseded", { by: "b", frames: [] }, "superseded", "by b"],
    ["CommandStopped", { by: "Halt", finalPosition: null, frames: [] }, "stopped", "by Halt"],
  ] as const)("says why it ended after %s", async (type, data, state, reason) => {
    expect(await endedBy(type, data)).toMatchObject({ state, reason });
  });

  it("gives no reason for what succeeded", async () => {
    const done = { finalPosition: 10, finalError: 0, summary: null, frames: [] };
    expect(await endedBy("CommandSucceeded", done)).toMatchObject({ state: "succeeded", reason: null });
  });
});

describe("motion without a command", () => {
  it("is an alarm until a Reset releases the stop that it brought", async () => {
    const log = new LogBuilder();
    const projector = new Projector(alarmHistory, "L", new FakeClock());
    const open = async () => {
      await projector.handle(log.events.slice(projector.position));
      return [...projector.rows.values()].filter(({ clearedUs }) => clearedUs === null).map(({ kind }) => kind);
    };
    log.add("axis-x1", "UnexpectedMotionSeen", { position: 3 });
    expect(await open()).toEqual(["unexpected-motion"]);
    log.add("axis-x1", "UnexpectedMotionSeen", { position: 4 });
    expect(await open()).toEqual(["unexpected-motion"]);
    log.add("axis-x1", "LatchReleased", { stopGeneration: 1 });
    expect(await open()).toEqual([]);
  });
});
