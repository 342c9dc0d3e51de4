import { createHash } from "node:crypto";
import {
  type AxisConfig,
  type DomainEvent,
  type EventData,
  type EventType,
  type FleetConfig,
  type RecordedEvent,
  rfc3339,
} from "@servofleet/contracts";

/** 2026-11-21T10:15:00Z, in microseconds: where built logs begin. */
export const LOG_START_US = 1_795_256_100_000_000;

export interface EventPlace {
  readonly commandId?: string;
  readonly id?: string;
  readonly wallUs?: number;
}

const uuid = (n: number) => `01990000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;

/** Builds a log by hand: positions, versions, ids and hashes as the writer would give them, one event per 10 ms. */
export class LogBuilder {
  readonly events: RecordedEvent[] = [];
  readonly #versions = new Map<string, number>();

  add<T extends EventType>(stream: string, type: T, data: EventData<T>, place: EventPlace = {}): RecordedEvent {
    const position = this.events.length + 1;
    const version = (this.#versions.get(stream) ?? 0) + 1;
    this.#versions.set(stream, version);
    const wallUs = place.wallUs ?? LOG_START_US + position * 10_000;
    const before = this.events.at(-1)?.hash ?? "";
    const event: RecordedEvent = {
      position,
      stream,
      version,
      id: place.id ?? uuid(position),
      type,
      schema: 1,
      wallUs,
      monoNs: String(position * 10_000_000),
      boot: "boot-1",
      epoch: 1,
      commandId: place.commandId ?? null,
      correlationId: place.commandId ?? uuid(position),
      causationId: null,
      actor: "local",
      traceparent: null,
      data: data as DomainEvent["data"],
      hash: createHash("sha256")
        .update(before)
        .update(`${position}${stream}${JSON.stringify(data)}`)
        .digest("hex"),
    };
    this.events.push(event);
    return event;
  }

  configured(config: FleetConfig): RecordedEvent {
    return this.add(`box-${config.box}`, "FleetConfigured", { config });
  }

  /** A whole MoveAbsolute of axis x1 that ends in position. */
  move(commandId: string, target: number, axis = "x1"): void {
    const stream = `axis-${axis}`;
    const at = (n: number) => rfc3339(LOG_START_US + (this.events.length + n) * 10_000);
    const targetCounts = target * 100;
    this.add(stream, "MoveAccepted", accepted(target), { commandId });
    this.add(stream, "DispatchStarted", { orderId: "o", stopGeneration: 0, targetCounts }, { commandId });
    const tx = { direction: "tx", at: at(1), hex: "0310620000" } as const;
    this.add(stream, "CommandSent", { orderId: "o", at: at(1), frames: [tx] }, { commandId });
    const rx = { direction: "rx", at: at(1), hex: "0310620100" } as const;
    const acknowledged = { orderId: "o", targetCounts, settledByReading: false, frames: [tx, rx] };
    this.add(stream, "DispatchAcknowledged", acknowledged, { commandId });
    this.add(stream, "MotionStarted", { position: 0, frames: [] }, { commandId });
    this.state({ state: "discrete-motion", currentCommand: commandId, position: 0 }, axis);
    const summary = { durationMs: 900, peakVelocity: 80, peakFollowingError: 0.2, samples: 40 };
    const done = { finalPosition: target - 0.01, finalError: -0.01, summary, frames: [] };
    this.add(stream, "CommandSucceeded", done, { commandId });
    this.state({ state: "standstill", currentCommand: null, position: target - 0.01 }, axis);
  }

  state(change: Partial<EventData<"AxisStateChanged">>, axis = "x1"): RecordedEvent {
    return this.add(`axis-${axis}`, "AxisStateChanged", {
      state: "standstill",
      stopLatched: false,
      homed: true,
      enabled: true,
      reconcileRequired: false,
      currentCommand: null,
      position: null,
      ...change,
    });
  }
}

export const accepted = (
  target: number | null,
  more: Partial<EventData<"MoveAccepted">> = {},
): EventData<"MoveAccepted"> => ({
  commandType: "MoveAbsolute",
  request: { type: "MoveAbsolute", position: target ?? 0 },
  principal: "local",
  fingerprint: "f".repeat(64),
  ttlMs: 5000,
  stopGeneration: 0,
  target,
  targetCounts: target === null ? null : target * 100,
  velocity: 80,
  acceleration: 500,
  deceleration: 500,
  sawState: "standstill",
  sawVersion: 1,
  ...more,
});

const axis = (id: string, link: string, unit: number): AxisConfig =>
  ({
    id,
    link,
    unit,
    profile: "leadshine-icl-rs",
    unitName: "mm",
    countsPerUnit: 100,
    limits: { min: 0, max: 800, velocity: 500, acceleration: 5000, torque: 80 },
    homing: { required: true, method: 17, velocity: 20, offset: 0 },
    poll: { movingMs: 20, idleMs: 200 },
    onShutdown: "stop",
    onRestartMoving: "stop",
    onControllerLost: "stop",
    allowUnboundedMoves: false,
  }) as AxisConfig;

/** Two links, three axes, one group. */
export const testFleet = (): FleetConfig =>
  ({
    box: "press_line_1",
    data: "./data",
    http: { host: "127.0.0.1", port: 8080 },
    messaging: "embedded",
    links: [
      {
        id: "line_a",
        kind: "modbus-rtu",
        port: "/dev/ttyUSB0",
        baud: 115200,
        parity: "even",
        stopBits: 1,
        stopWaitMaxMs: 50,
      },
      { id: "cell_2", kind: "modbus-tcp", host: "192.0.2.10", port: 502, stopWaitMaxMs: 50 },
    ],
    axes: [axis("x1", "line_a", 3), axis("x2", "line_a", 4), axis("r1", "cell_2", 1)],
    groups: [{ id: "gantry", axes: ["x1", "x2"] }],
  }) as FleetConfig;
