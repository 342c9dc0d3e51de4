import {
  ACCEPTED_EVENTS,
  type AxisStatus,
  COMMAND_STATE_AFTER,
  type CommandId,
  type CommandRequest,
  type DomainEvent,
  type EventType,
  eventChecker,
  MOTION_COMMANDS,
  type OrderRefusal,
  type Report,
  TERMINAL_STATES,
} from "@servofleet/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AxisEvent } from "./axis-event.ts";
import { type Axis, initialAxis } from "./axis-state.ts";
import { decide, isRefusal, rejected } from "./decide.ts";
import { decideReport } from "./decide-report.ts";
import { limitCounts } from "./limits.ts";
import { governingCommand } from "./plcopen-state.ts";
import { reconcile } from "./reconcile.ts";
import { decideRecovery, recoverAtStart } from "./recover.ts";
import { decideUnread, foldEvents, withStateChange } from "./state-change.ts";
import { AXIS, AxisScene, about, aProblem, axisConfig, statusOf } from "./testing/axis-scene.ts";
import { cancel, expire } from "./withdraw.ts";

/**
 * One axis against a shell that dispatches whenever it likes and a bridge that says anything at any time: late,
 * twice, out of order, about the wrong command. The laws hold whatever the two do.
 */
type Step =
  | { readonly kind: "wish"; readonly request: CommandRequest }
  | { readonly kind: "dispatch" | "expire" | "cancel"; readonly which: number }
  | { readonly kind: "report"; readonly which: number; readonly make: (id: CommandId) => Report }
  | { readonly kind: "status"; readonly status: Partial<AxisStatus> }
  | { readonly kind: "stop" | "unread" }
  | { readonly kind: "own-stop"; readonly ahead: number; readonly result: "pending" | "acknowledged" }
  | { readonly kind: "restart"; readonly findings: readonly Finding[]; readonly status: Partial<AxisStatus> }
  | { readonly kind: "reconcile"; readonly decision: "adopt" | "abandon" };
type Finding = "in-position" | "standing-elsewhere" | "moving" | "fault" | "silent";

const counts = fc.integer({ min: -1000, max: 81_000 });
const position = fc.double({ min: -50, max: 900, noNaN: true });
const rates = { velocity: fc.double({ min: -10, max: 600, noNaN: true }) };
const request: fc.Arbitrary<CommandRequest> = fc.oneof(
  { weight: 6, arbitrary: position.map((to) => ({ type: "MoveAbsolute", position: to }) as const) },
  { weight: 2, arbitrary: position.map((distance) => ({ type: "MoveRelative", distance }) as const) },
  { weight: 2, arbitrary: rates.velocity.map((velocity) => ({ type: "MoveVelocity", velocity }) as const) },
  fc.constantFrom<CommandRequest[]>(
    { type: "Enable" },
    { type: "Disable" },
    { type: "Reset" },
    { type: "Home" },
    { type: "Halt" },
    { type: "WriteParameter", parameter: "gain", value: 1 },
  ),
  fc.integer({ min: -100, max: 100 }).map((to) => ({ type: "SetPosition", position: to }) as const),
);
const fault = fc.constantFrom(null, null, { code: "7", name: "over-current", remedy: "check the cable" });
const status: fc.Arbitrary<Partial<AxisStatus>> = fc.record({
  online: fc.constantFrom(true, true, true, false),
  enabled: fc.constantFrom(true, true, true, false),
  homed: fc.constantFrom(true, true, true, false),
  moving: fc.boolean(),
  stopPending: fc.constantFrom(false, false, true),
  positionCounts: fc.option(counts, { nil: null }),
  fault,
});
const refusal = fc.constantFrom<OrderRefusal[]>("expired", "stale-generation", "superseded", "cancelled", "not-ready");
const abort = fc.constantFrom("motion", "halt", "stop", "limit", "policy", "disable");
const slug = fc.constantFrom("drive-fault", "limit-reached", "drive-exception");
const order = (id: CommandId) => ({ ...about(id), orderId: `order-${id}` });

const makers: fc.Arbitrary<(id: CommandId) => Report> = fc.oneof(
  fc.constant((id: CommandId): Report => ({ type: "order-sent", ...order(id) })),
  fc.boolean().map(
    (settledByReading) =>
      (id: CommandId): Report => ({ type: "order-acknowledged", ...order(id), targetCounts: 1, settledByReading }),
  ),
  fc.constant((id: CommandId): Report => ({ type: "order-unknown", ...order(id), problem: aProblem("bus-timeout") })),
  fc.constant((id: CommandId): Report => ({ type: "order-unsettled", ...about(id), problem: aProblem("bus-timeout") })),
  counts.map(
    (positionCounts) =>
      (id: CommandId): Report => ({ type: "motion-started", ...about(id), positionCounts }),
  ),
  fc.option(counts).map(
    (at) =>
      (id: CommandId): Report => ({ type: "order-done", ...about(id), positionCounts: at, summary: null }),
  ),
  fc.tuple(slug, fc.option(counts)).map(
    ([why, positionCounts]) =>
      (id: CommandId): Report => ({ type: "order-failed", ...about(id), problem: aProblem(why), positionCounts }),
  ),
  fc.tuple(abort, fc.option(counts)).map(
    ([by, positionCounts]) =>
      (id: CommandId): Report => ({ type: "order-aborted", ...about(id), by, detail: "", positionCounts }),
  ),
  refusal.map(
    (reason) =>
      (id: CommandId): Report => ({ type: "order-refused", ...order(id), reason, problem: aProblem("axis-not-ready") }),
  ),
);

const which = fc.nat({ max: 5 });
const finding = fc.constantFrom<Finding[]>("in-position", "standing-elsewhere", "moving", "fault", "silent");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: request.map((wish) => ({ kind: "wish", request: wish }) as const) },
  { weight: 8, arbitrary: which.map((n) => ({ kind: "dispatch", which: n }) as const) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("report" as const), which, make: makers }) },
  { weight: 5, arbitrary: status.map((seen) => ({ kind: "status", status: seen }) as const) },
  { weight: 4, arbitrary: fc.constant({ kind: "status", status: {} } as const) },
  fc.record({ kind: fc.constantFrom("expire" as const, "cancel" as const), which }),
  fc.record({ kind: fc.constantFrom("stop" as const, "unread" as const) }),
  fc.record({
    kind: fc.constant("own-stop" as const),
    ahead: fc.integer({ min: -1, max: 2 }),
    result: fc.constantFrom("pending" as const, "acknowledged" as const),
  }),
  fc.record({ kind: fc.constant("restart" as const), findings: fc.array(finding, { maxLength: 3 }), status }),
  fc.record({
    kind: fc.constant("reconcile" as const),
    decision: fc.constantFrom("adopt" as const, "abandon" as const),
  }),
);

const complaint = eventChecker();
const isTerminal = (type: EventType): boolean => {
  const state = COMMAND_STATE_AFTER[type];
  return state !== undefined && TERMINAL_STATES.has(state);
};

/** An axis scene that checks the laws after every batch. */
class LawfulScene extends AxisScene {
  readonly ended = new Set<CommandId>();
  readonly known: CommandId[] = [];
  #latched = false;
  #generation = 0;

  override append(events: readonly AxisEvent[]): readonly EventType[] {
    const types = super.append(events);
    for (const entry of events) this.#check(entry);
    const motions = [...this.axis.open.values()].filter(
      (command) => MOTION_COMMANDS.has(command.type) && command.phase !== "accepted",
    );
    expect(motions.length, "at most one motion on the wire").toBeLessThanOrEqual(1);
    expect(withStateChange(this.axis, []), "the shown state is never behind").toEqual([]);
    return types;
  }

  #check({ event, commandId, id }: AxisEvent): void {
    expect(complaint(event), event.type).toBeNull();
    if (ACCEPTED_EVENTS.has(event.type) || event.type === "CommandRejected") {
      expect(id).toBe(commandId);
      if (commandId) this.known.push(commandId);
    }
    if (commandId !== undefined && event.type !== "OutcomeSettled") {
      expect(this.ended.has(commandId), `${event.type} after the end of ${commandId}`).toBe(false);
      if (isTerminal(event.type)) this.ended.add(commandId);
    }
    this.#checkStops(event);
    if (event.type === "MoveAccepted") {
      const { min, max } = limitCounts(this.axis);
      expect(event.data.targetCounts).toBeGreaterThanOrEqual(min);
      expect(event.data.targetCounts).toBeLessThanOrEqual(max);
    }
  }

  #checkStops(event: DomainEvent): void {
    if (event.type === "StopLatched") {
      this.#latched = true;
      expect(event.data.stopGeneration, "every stop raises the generation").toBeGreaterThan(this.#generation);
      this.#generation = event.data.stopGeneration;
    }
    if (event.type === "LatchReleased") this.#latched = false;
    if (event.type === "DispatchStarted") expect(event.data.stopGeneration).toBe(this.#generation);
    const motion =
      event.type === "MoveAccepted" || event.type === "VelocityMoveAccepted" || event.type === "HomeAccepted";
    if (motion) expect(this.#latched, "no motion is taken under a latch").toBe(false);
    if (event.type === "DispatchStarted" && this.#latched) {
      expect(event.data.targetCounts, "no move is sent under a latch").toBeNull();
    }
  }

  pick(n: number): CommandId | undefined {
    return this.known.at(-1 - n);
  }
}

function wish(scene: LawfulScene, asked: CommandRequest): void {
  const command = scene.command(asked);
  const answer = decide(command, scene.axis, scene.status);
  scene.append(isRefusal(answer) ? [rejected(command, answer)] : answer);
}

function report(scene: LawfulScene, said: Report): void {
  scene.hears(said);
  expect(decideReport(said, scene.axis), `${said.type} heard twice`).toEqual([]);
}

/** A reading by a bridge that knows of every stop. */
const now = (scene: LawfulScene, seen: Partial<AxisStatus> = {}): AxisStatus =>
  statusOf({ stopGeneration: scene.axis.stopGeneration, ...seen });

/** What is shown right after a reading never contradicts it. */
function read(scene: LawfulScene, seen: AxisStatus): void {
  report(scene, { type: "axis-status", status: seen });
  const { state } = scene.axis;
  if (!seen.online) expect(state).toBe("offline");
  else if (seen.fault) expect(state).toBe("error-stop");
  else if (seen.enabled && seen.moving) expect(["standstill", "disabled"]).not.toContain(state);
  else if (!seen.enabled && !seen.moving) expect(state).toBe("disabled");
  else if (seen.enabled && governingCommand(scene.axis) === undefined) expect(state).toBe("standstill");
}

/** Once every command has ended and the axis stands, a person can always get it to move again. */
function leadOut(scene: LawfulScene): void {
  for (const { commandId, phase } of scene.axis.open.values()) {
    if (phase === "accepted") scene.append(expire(scene.axis, commandId));
    else
      report(scene, { type: "order-failed", ...about(commandId), problem: aProblem("bus-timeout"), positionCounts: 0 });
  }
  expect(scene.axis.open.size).toBe(0);
  read(scene, now(scene));
  if (scene.axis.reconcileRequired) take(scene, { kind: "reconcile", decision: "abandon" });
  scene.accepts({ type: "Reset" });
  expect(scene.axis).toMatchObject({ state: "standstill", stopLatched: false, reconcileRequired: false });
  const id = scene.accepts({ type: "MoveAbsolute", position: scene.axis.displayOffset + 10 });
  expect(scene.dispatches(id)).toContain("DispatchStarted");
}

function restart(scene: LawfulScene, findings: readonly Finding[], seen: Partial<AxisStatus>): void {
  scene.axis = refolded(scene);
  const { events, settle } = recoverAtStart(scene.axis);
  scene.append(events);
  expect(recoverAtStart(scene.axis).events, "recovering twice is recovering once").toEqual([]);
  scene.status = now(scene, seen);
  for (const [n, { commandId }] of settle.entries()) {
    const found = findings[n] ?? "silent";
    const settled = { type: "settled", ...about(commandId), finding: found, status: scene.status } as const;
    const { events: decided, stop, watch } = decideRecovery(scene.axis, settled);
    scene.append(decided);
    const open = scene.axis.open.has(commandId);
    expect(open, "settled, stopped or watched: nothing is left to itself").toBe(open && (stop || watch));
    if (stop) scene.stops();
  }
  const idle = decideRecovery(scene.axis, scene.status);
  scene.append(idle.events);
  if (idle.stop) scene.stops();
}

/** The fold of the whole stream from nothing. */
const refolded = (scene: AxisScene): Axis => foldEvents(initialAxis(scene.axis.config), scene.log);

function take(scene: LawfulScene, taken: Step): unknown {
  switch (taken.kind) {
    case "wish":
      return wish(scene, taken.request);
    case "dispatch": {
      const id = scene.pick(taken.which);
      if (id && scene.axis.open.get(id)?.phase === "accepted") scene.dispatches(id);
      return null;
    }
    case "expire": {
      const id = scene.pick(taken.which);
      if (id) scene.append(expire(scene.axis, id));
      return null;
    }
    case "cancel": {
      const id = scene.pick(taken.which);
      const answer = id ? cancel(scene.axis, id, "local") : [];
      if (!isRefusal(answer)) scene.append(answer);
      return null;
    }
    case "report": {
      const id = scene.pick(taken.which);
      if (id) report(scene, taken.make(id));
      return null;
    }
    case "status":
      return read(scene, now(scene, taken.status));
    case "stop":
      scene.stops();
      return null;
    case "unread":
      scene.append(decideUnread(scene.axis, "the bridge is lost"));
      return null;
    case "own-stop": {
      const stopGeneration = Math.max(0, scene.axis.stopGeneration + taken.ahead);
      const stop = { type: "stop-result", stopId: `own-${stopGeneration}`, axis: AXIS, stopGeneration } as const;
      return report(scene, {
        ...stop,
        result: taken.result,
        reason: "controller-lost",
        problem: null,
        atUs: 3_000_000,
        frames: [],
      });
    }
    case "restart":
      return restart(scene, taken.findings, taken.status);
    case "reconcile": {
      const answer = reconcile(scene.axis, taken.decision, "local");
      if (!isRefusal(answer)) scene.append(answer);
      return null;
    }
  }
}

const config = fc.record({
  onRestartMoving: fc.constantFrom("stop" as const, "observe" as const),
  countsPerUnit: fc.constantFrom(100, -100, 0.37),
});

test("whatever a person, the dispatcher, the bridge and restarts do, the laws of an axis hold", () => {
  fc.assert(
    fc.property(config, fc.array(step, { minLength: 1, maxLength: 60 }), (more, steps) => {
      const scene = new LawfulScene(axisConfig(more));
      report(scene, { type: "axis-status", status: now(scene) });
      for (const taken of steps) take(scene, taken);
      expect(refolded(scene), "same events, same state").toEqual(scene.axis);
      expect(scene.axis.version, "versions without a gap").toBe(scene.log.length);
      // Open and ended are all there is: no command is lost.
      for (const id of scene.known) expect(scene.ended.has(id)).toBe(!scene.axis.open.has(id));
      leadOut(scene);
    }),
    { numRuns: 1500 },
  );
});

test("the steps of that law reach every event of an axis", () => {
  const seen = new Set<EventType>();
  for (const steps of fc.sample(fc.array(step, { minLength: 40, maxLength: 60 }), { numRuns: 400, seed: 7 })) {
    const scene = new LawfulScene(axisConfig({ onRestartMoving: "observe" }));
    report(scene, { type: "axis-status", status: now(scene) });
    for (const taken of steps) take(scene, taken);
    for (const { event } of scene.log) seen.add(event.type);
  }
  const axisEvents: EventType[] = [
    ...ACCEPTED_EVENTS,
    ...(Object.keys(COMMAND_STATE_AFTER) as EventType[]),
    "CommandSent",
    "DispatchUnknown",
    "OutcomeSettled",
    "StopLatched",
    "StopConfirmed",
    "LatchReleased",
    "AxisStateChanged",
    "FaultRaised",
    "FaultCleared",
    "AxisWentOffline",
    "AxisCameOnline",
    "DisplayOffsetSet",
    "ReconcileRequired",
    "AxisReconciled",
    "UnexpectedMotionSeen",
    "LimitReached",
  ];
  expect(axisEvents.filter((type) => !seen.has(type))).toEqual([]);
});
