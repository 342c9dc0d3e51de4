import type { AxisConfig, CommandId, Order, OrderAction, Report, Sample, StopReason } from "@servofleet/contracts";
import type { FakeClock } from "@servofleet/runtime/fake-clock";
import { createDrive } from "../../handshake/create-drive.ts";
import { DriveProfile } from "../../profile/drive-profile.ts";
import { loadProfile } from "../../profile/load-profile.ts";
import type { ProfileData } from "../../profile/profile-schema.ts";
import { AxisSupervisor } from "../axis-supervisor.ts";
import type { MemoryLink } from "./memory-link.ts";

export const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const axisConfig = (id: string, unit: number, profile: string): AxisConfig => ({
  id: id as AxisConfig["id"],
  link: "line_a" as AxisConfig["link"],
  unit,
  profile,
  unitName: "mm",
  countsPerUnit: 100,
  limits: { min: 0, max: 1000, velocity: 1000, acceleration: 10_000, torque: 100 },
  homing: { required: false, method: 17, velocity: 20, offset: 0 },
  poll: { movingMs: 20, idleMs: 200 },
  onShutdown: "stop",
  onRestartMoving: "stop",
  onControllerLost: "stop",
  allowUnboundedMoves: true,
});

/** One supervised axis over a memory link: what it reports, and short ways to order and to wait. */
export class TestAxis {
  readonly reports: Report[] = [];
  readonly samples: Sample[] = [];
  readonly supervisor: AxisSupervisor;
  readonly clock: FakeClock;
  readonly link: MemoryLink;
  readonly gate = { epoch: 1, controllerSilent: null as string | null, closing: false };
  generation = 0;
  #orders = 0;

  constructor(
    clock: FakeClock,
    link: MemoryLink,
    config: AxisConfig,
    change: (data: ProfileData) => ProfileData = (data) => data,
  ) {
    this.clock = clock;
    this.link = link;
    let stops = 0;
    this.supervisor = new AxisSupervisor({
      config,
      stopWaitMaxMs: 50,
      link,
      drive: createDrive(new DriveProfile(change(loadProfile(config.profile).data))),
      clock,
      log: silentLog,
      report: (report) => void this.reports.push(report),
      sample: (sample) => void this.samples.push(sample),
      gate: () => this.gate,
      newStopId: () => `own-${++stops}`,
    });
    this.supervisor.start();
  }

  /** Sends an order; returns the reports of its command so far as a live list. */
  order(action: OrderAction, more: Partial<Order> = {}): () => Report[] {
    const n = ++this.#orders;
    const commandId = `c${n}` as CommandId;
    const notAfterMs = this.clock.monotonicMs() + 5000;
    const base = {
      orderId: `o${n}`,
      commandId,
      axis: this.supervisor.config.id,
      epoch: 1,
      stopGeneration: this.generation,
      leaseSequence: 0,
      notAfterMs,
    };
    this.supervisor.submit({ ...base, action, ...more });
    return () => this.reports.filter((report) => "commandId" in report && report.commandId === commandId);
  }

  stop(reason: StopReason = "person", stopId = `s${this.generation + 1}`): void {
    this.generation++;
    this.supervisor.stop({
      stopId,
      axis: this.supervisor.config.id,
      epoch: 1,
      stopGeneration: this.generation,
      reason,
    });
  }

  /** Advances until the condition holds; fails after `limitMs` of fake time. */
  async until(condition: () => boolean, limitMs = 30_000): Promise<void> {
    for (let ms = 0; ms < limitMs; ms += 5) {
      if (condition()) return;
      await this.clock.advance(5);
    }
    throw new Error(`not reached within ${limitMs} ms: ${JSON.stringify(this.reports.slice(-3))}`);
  }
}

export const typesOf = (reports: readonly Report[]): string[] => reports.map((report) => report.type);
export const ENDS: ReadonlySet<string> = new Set([
  "order-refused",
  "order-unsettled",
  "order-done",
  "order-failed",
  "order-aborted",
]);
export const ended = (reports: readonly Report[]): boolean => reports.some((report) => ENDS.has(report.type));
