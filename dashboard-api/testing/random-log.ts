import fc from "fast-check";
import { accepted, LogBuilder, testFleet } from "./recorded-events.ts";

const AXES = ["x1", "x2", "r1"] as const;
const FAULT = { code: "0x0E0", name: "Over current", remedy: "check the motor cable" };
const PROBLEM = { slug: "bus-timeout", detail: "no answer after 40 ms", remedy: "check the wiring" } as const;

type Step = readonly [what: number, axis: number, n: number];

/** Any order of facts, sensible or not: a projection must hold for all of them. */
export const anyLog: fc.Arbitrary<LogBuilder> = fc
  .array(fc.tuple(fc.nat(STEPS().length - 1), fc.nat(2), fc.nat(5)), { maxLength: 80 })
  .map((steps) => {
    const log = new LogBuilder();
    log.configured(testFleet());
    for (const step of steps as Step[]) STEPS()[step[0]]?.(log, AXES[step[1]] ?? "x1", step[2]);
    return log;
  });

const commandOf = (axis: string, n: number) => `0199${axis}-${n}`;

function STEPS(): readonly ((log: LogBuilder, axis: (typeof AXES)[number], n: number) => unknown)[] {
  return [
    (log, axis, n) => log.move(`${commandOf(axis, n)}-${log.events.length}`, n * 10, axis),
    (log, axis, n) => log.state({ position: n, stopLatched: n > 3 }, axis),
    (log, axis, n) => log.add(`axis-${axis}`, "MoveAccepted", accepted(n), { commandId: commandOf(axis, n) }),
    (log, axis, n) =>
      log.add(
        `axis-${axis}`,
        "DispatchUnknown",
        { orderId: "o", problem: PROBLEM, frames: [] },
        { commandId: commandOf(axis, n) },
      ),
    (log, axis, n) =>
      log.add(
        `axis-${axis}`,
        "CommandIndeterminate",
        { reason: "silent", frames: [] },
        { commandId: commandOf(axis, n) },
      ),
    (log, axis, n) =>
      log.add(`axis-${axis}`, "OutcomeSettled", { settled: "adopt" }, { commandId: commandOf(axis, n) }),
    (log, axis, n) =>
      log.add(
        `axis-${axis}`,
        "CommandStopped",
        { by: "halt", finalPosition: n, frames: [] },
        { commandId: commandOf(axis, n) },
      ),
    (log, axis) => log.add(`axis-${axis}`, "FaultRaised", { fault: FAULT }),
    (log, axis) => log.add(`axis-${axis}`, "FaultCleared", { fault: FAULT }),
    (log, axis) => log.add(`axis-${axis}`, "AxisWentOffline", { reason: "no answer" }),
    (log, axis) => log.add(`axis-${axis}`, "AxisCameOnline", {}),
    (log, axis, n) => log.add(`axis-${axis}`, "DisplayOffsetSet", { displayOffset: n }),
    (log, axis, n) => log.add(`axis-${axis}`, "LimitReached", { limit: "max 800 mm", position: n }),
    (log) => log.add("link-line_a", "LinkWentUp", {}),
    (log) => log.add("link-line_a", "LinkWentDown", { reason: "unplugged" }),
    (log, _axis, n) =>
      log.add("box-press_line_1", "AlarmAcknowledged", { alarm: log.events[n]?.id ?? "none", principal: "local" }),
    (log, _axis, n) => {
      const fleet = testFleet();
      return log.configured(n > 2 ? fleet : { ...fleet, axes: fleet.axes.slice(0, 2), groups: [] });
    },
  ];
}
