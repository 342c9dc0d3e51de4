import type { AxisView, CommandView } from "@servofleet/contracts";
import { type CloudEvent, problemDocument, toCloudEvent } from "@servofleet/contracts";
import { LogBuilder, testFleet } from "@servofleet/dashboard-api/testing/recorded-events";
import { expect, test } from "vitest";
import { commandStory } from "./why-story.ts";

const ID = "0199aaaa-0000-7000-8000-000000000001";

/** A whole move, as the log and the read side tell it. */
function moved(change: Partial<CommandView> = {}): { command: CommandView; events: CloudEvent[] } {
  const log = new LogBuilder();
  log.configured(testFleet());
  log.move(ID, 120);
  const events = log.events.filter((event) => event.commandId === ID).map((event) => toCloudEvent(event, "box", "L"));
  const command: CommandView = {
    commandId: ID,
    axis: "x1",
    type: "MoveAbsolute",
    request: { position: 120 },
    state: "succeeded",
    outcomeUnknown: false,
    settled: null,
    principal: "local",
    target: 120,
    finalError: -0.01,
    problem: null,
    reason: null,
    transitions: [],
    frames: [{ direction: "tx", at: "2026-11-21T10:15:00.030000Z", hex: "0310620000" }],
    ...change,
  };
  return { command, events };
}
const before = {
  id: "x1",
  unitName: "mm",
  state: "standstill",
  stopLatched: false,
  homed: true,
  reconcileRequired: false,
  measured: { position: 3.5 },
  fault: null,
  currentCommand: null,
} as unknown as AxisView;

test("the story goes from the request over the decision, the log, the order and the wire to the measured end", () => {
  const { command, events } = moved();
  const lines = commandStory(command, events, before).split("\n");
  expect(lines.slice(0, 5)).toEqual([
    `MoveAbsolute ${ID} on x1: succeeded`,
    'asked by   local: {"position":120}',
    "decided    seeing x1 in standstill, version 1; target 120 (12000 counts)",
    "with       velocity 80, acceleration 500, to be started within 5000 ms",
    "saw        standstill, position 3.5 mm, homed, no stop latched, no fault",
  ]);
  const at = (title: string) => lines.indexOf(title);
  expect(at("log")).toBeLessThan(at("orders"));
  expect(at("orders")).toBeLessThan(at("wire"));
  expect(lines[at("log") + 2]).toMatch(/^ {2}L\.3 {2}2026-\S+Z +\+10\.0 ms {2}DispatchStarted\.v1$/);
  expect(lines[at("orders") + 1]).toMatch(
    /^ {2}o: 12000 counts, stop generation 0; first byte \S+Z; acknowledged by the drive$/,
  );
  expect(lines[at("wire") + 1]).toBe("  2026-11-21T10:15:00.030000Z  tx  03 10 62 00 00");
  expect(lines.at(-1)).toBe(
    "confirmed  by measurement, final error -0.01 at 119.99; 900 ms, peak velocity 80, peak following error 0.2, 40 samples",
  );
});

test("a refused command says no, gives no order and ends with what to do", () => {
  const facts = { slug: "soft-limit", detail: "position 900 mm is beyond max 800 mm", remedy: "ask for 0 to 800 mm" };
  const problem = problemDocument(facts as Parameters<typeof problemDocument>[0], `/v1/commands/${ID}`, ID);
  const { command } = moved({ state: "rejected", problem, frames: [], finalError: null });
  const text = commandStory(command, [], before);
  expect(text).toContain("decided    no: Beyond the soft limit");
  expect(text).toContain("orders\n  none was given\nwire\n  nothing was sent");
  expect(text).toMatch(/ended {6}Beyond the soft limit: .*; ask for 0 to 800 mm$/);
});

test("a command that was stopped, or is not over, says why it stands where it stands", () => {
  const { command, events } = moved({ state: "stopped", reason: "by operator", finalError: null });
  expect(commandStory(command, events, null)).toMatch(/\nnow {8}stopped: by operator$/);
  const open = moved({ state: "dispatched", outcomeUnknown: true }).command;
  expect(commandStory(open, events.slice(0, 2), null)).toContain("dispatched (outcome unknown, being settled");
});
