import type {
  AxisConfig,
  AxisId,
  AxisStatus,
  Command,
  CommandId,
  CommandRequest,
  EventData,
  EventType,
  LinkId,
  ProblemFacts,
  Refusal,
  Report,
} from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { AxisEvent } from "../axis-event.ts";
import { type Axis, initialAxis } from "../axis-state.ts";
import { decide, isRefusal } from "../decide.ts";
import { decideReport } from "../decide-report.ts";
import { raiseStop } from "../decide-stop.ts";
import { dispatchEvents, failDispatch, orderAction } from "../dispatch.ts";
import { latestStatus } from "../latest-status.ts";
import { foldEvents } from "../state-change.ts";

export const AXIS = "x1" as AxisId;
export const COUNTS_PER_UNIT = 100;

export const axisConfig = (more: Partial<AxisConfig> = {}): AxisConfig => ({
  id: AXIS,
  link: "line_a" as LinkId,
  unit: 3,
  profile: "leadshine-icl-rs",
  unitName: "mm",
  countsPerUnit: COUNTS_PER_UNIT,
  limits: { min: 0, max: 800, velocity: 500, acceleration: 5000, torque: 100 },
  homing: { required: true, method: 17, velocity: 20, offset: 0 },
  poll: { movingMs: 20, idleMs: 200 },
  onShutdown: "stop",
  onRestartMoving: "stop",
  onControllerLost: "stop",
  allowUnboundedMoves: false,
  ...more,
});

export const statusOf = (more: Partial<AxisStatus> = {}): AxisStatus => ({
  axis: AXIS,
  online: true,
  offlineReason: null,
  reads: 5,
  enabled: true,
  moving: false,
  homed: true,
  fault: null,
  positionCounts: 0,
  velocityCountsPerS: 0,
  stopGeneration: 0,
  stopPending: false,
  atUs: 1_000_000,
  ...more,
});

export const commandId = (n: number): CommandId =>
  `00000000-0000-5000-8000-${String(n).padStart(12, "0")}` as CommandId;

export const aProblem = (slug: ProblemFacts["slug"]): ProblemFacts => ({
  slug,
  detail: "what was wrong",
  remedy: "what to do",
});

/** Reports as the bridge numbers and times them, without the parts that a scene does not turn on. */
export const about = (id: CommandId) => ({ commandId: id, axis: AXIS, atUs: 2_000_000, frames: [] });

/** One axis and its stream, driven by what a person, the dispatcher and the bridge do. */
export class AxisScene {
  axis: Axis;
  status: AxisStatus | null = statusOf();
  readonly log: AxisEvent[] = [];
  #commands = 0;
  #stops = 0;

  constructor(config: AxisConfig = axisConfig()) {
    this.axis = initialAxis(config);
  }

  /** An axis that was read, stands enabled and homed at 0 mm. */
  static ready(config?: AxisConfig): AxisScene {
    const scene = new AxisScene(config);
    scene.reads({});
    return scene;
  }

  append(events: readonly AxisEvent[]): readonly EventType[] {
    this.axis = foldEvents(this.axis, events);
    this.log.push(...events);
    return events.map(({ event }) => event.type);
  }

  command(request: CommandRequest, more: Partial<Command> = {}): Command {
    this.#commands += 1;
    return {
      commandId: commandId(this.#commands),
      axis: AXIS,
      request,
      principal: "local",
      fingerprint: "f".repeat(64),
      receivedAtMs: 0,
      ttlMs: request.ttlMs ?? 5000,
      ...more,
    };
  }

  ask(request: CommandRequest, more: Partial<Command> = {}): readonly AxisEvent[] | Refusal {
    return decide(this.command(request, more), this.axis, this.status);
  }

  /** The problem of a wish that must be refused. */
  refused(request: CommandRequest, more: Partial<Command> = {}): ProblemFacts {
    const answer = this.ask(request, more);
    assert(isRefusal(answer), `${request.type} was taken`);
    return answer.problem;
  }

  /** Asks and takes the acceptance into the stream. */
  accepts(request: CommandRequest): CommandId {
    const answer = this.ask(request);
    assert(!isRefusal(answer), `refused: ${JSON.stringify(answer)}`);
    this.append(answer);
    return commandId(this.#commands);
  }

  dispatches(id: CommandId): readonly EventType[] {
    const action = orderAction(this.axis, id);
    if (isRefusal(action)) return this.append(failDispatch(this.axis, id, action.problem));
    return this.append(dispatchEvents(this.axis, id, `order-${id}`));
  }

  hears(report: Report): readonly EventType[] {
    this.status = latestStatus(this.status, report, this.axis);
    return this.append(decideReport(report, this.axis));
  }

  reads(more: Partial<AxisStatus>): readonly EventType[] {
    const { stopGeneration } = this.axis;
    return this.hears({ type: "axis-status", status: statusOf({ stopGeneration, ...more }) });
  }

  acknowledges(id: CommandId, targetCounts: number | null = null): readonly EventType[] {
    const orderId = `order-${id}`;
    return this.hears({ type: "order-acknowledged", ...about(id), orderId, targetCounts, settledByReading: false });
  }

  /** Accepted, dispatched, acknowledged and seen moving. */
  runs(request: CommandRequest): CommandId {
    const id = this.accepts(request);
    this.dispatches(id);
    this.acknowledges(id);
    this.hears({ type: "motion-started", ...about(id), positionCounts: 10 });
    return id;
  }

  does(id: CommandId, positionCounts: number | null = 0): readonly EventType[] {
    return this.hears({ type: "order-done", ...about(id), positionCounts, summary: null });
  }

  stops(): readonly EventType[] {
    this.#stops += 1;
    const at = "2026-11-21T10:00:00.000000Z";
    const types = this.append(
      raiseStop(this.axis, { stopId: `stop-${this.#stops}`, scope: "axis", reason: "person", principal: "local", at }),
    );
    // The bridge has heard it, and has read the axis since.
    this.status &&= { ...this.status, stopGeneration: this.axis.stopGeneration };
    return types;
  }

  /** The data of the newest event of a type. */
  last<T extends EventType>(type: T): EventData<T> {
    const found = this.log.findLast(({ event }) => event.type === type);
    assert(found !== undefined, `no ${type} in the stream`);
    return found.event.data as EventData<T>;
  }

  typesOf(id: CommandId): readonly EventType[] {
    return this.log.filter((entry) => entry.commandId === id).map(({ event }) => event.type);
  }
}
