import {
  type AxisConfig,
  type AxisId,
  BEAT_PERIOD_MS,
  type FleetConfig,
  type LinkConfig,
  type LinkId,
  type Order,
  type OrderMessage,
  type Report,
  type StopOrder,
} from "@servofleet/contracts";
import { never } from "@servofleet/runtime/assert";
import type { Clock, Random, Timer } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import { uuidV7 } from "@servofleet/runtime/random-id";
import type { BridgeLog } from "../axis/axis-parts.ts";
import { AxisSupervisor } from "../axis/axis-supervisor.ts";
import { StartGate } from "../axis/start-gate.ts";
import { serveCaptures } from "../capture/serve-captures.ts";
import { createDrive } from "../handshake/create-drive.ts";
import { type Link, NOT_OPENED_YET } from "../link/link.ts";
import type { DriveProfile } from "../profile/drive-profile.ts";
import { axisAbilities } from "./axis-abilities.ts";
import { BridgeError } from "./bridge-error.ts";
import { ControllerWatch } from "./controller-watch.ts";
import { type LinkPlan, linkPlan, startsTogether } from "./link-plan.ts";
import { ReportOutbox } from "./report-outbox.ts";
import { SampleOutlet } from "./sample-outlet.ts";
import { settleAxes, settleOrphans } from "./shut-down.ts";
import { unknownAxisOrder, unknownAxisStop } from "./unknown-axis.ts";

const LINK_STATS_MS = 1000;
/** The controller's silence is looked for this often. */
const SILENCE_LOOK_MS = 50;

/** Everything the composition gives to the bridge. */
export interface BridgeParts {
  readonly config: FleetConfig;
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly createLink: (config: LinkConfig, plan: LinkPlan) => Link;
  /** By name or path; throws ProfileError. */
  readonly loadProfile: (nameOrPath: string) => DriveProfile;
  readonly log: BridgeLog;
}

/** A running bridge. */
export interface Bridge {
  /** Random per start; reports are numbered inside it. */
  readonly boot: string;
  /** Settles every axis by its `onShutdown`, closes links. Idempotent. */
  close(): Promise<void>;
  /**
   * The controller is gone and cannot come back to this bridge: each axis by its `onControllerLost`, then closes as above.
   * `successor` says that the next bridge waits for the lines: it is not kept waiting for more than acknowledged stops.
   */
  leave(successor: AbortSignal): Promise<void>;
  /** Resolves once the bridge has closed, also after a `shut-down` from the bus. */
  readonly closed: Promise<void>;
}

/**
 * Starts the bridge: one link per line, one supervisor per axis, beats both ways. Only reads go out before an order or a
 * stop comes, except that moving axes are stopped by `onControllerLost` when no controller is heard.
 * @throws ProfileError, BridgeError before anything was opened
 */
export async function startBridge(parts: BridgeParts): Promise<Bridge> {
  const profiles = new Map<string, DriveProfile>();
  const profileOf = (axis: AxisConfig): DriveProfile => {
    const known = profiles.get(axis.profile) ?? parts.loadProfile(axis.profile);
    profiles.set(axis.profile, known);
    return known;
  };
  for (const axis of parts.config.axes) profileOf(axis);
  return new RunningBridge(parts, profileOf);
}

class RunningBridge implements Bridge {
  readonly boot: string;
  readonly closed: Promise<void>;
  readonly #parts: BridgeParts;
  readonly #links = new Map<LinkId, Link>();
  /** One per line whose drives can be started by one frame. */
  readonly #starts = new Map<LinkId, StartGate>();
  readonly #axes = new Map<AxisId, AxisSupervisor>();
  readonly #outbox: ReportOutbox;
  readonly #samples: SampleOutlet;
  readonly #controller: ControllerWatch;
  readonly #undo: (() => void)[] = [];
  readonly #stoppedForLoss = new Set<AxisSupervisor>();
  #beatSeq = 0;
  #closing: Promise<void> | undefined;
  #resolveClosed: () => void = () => undefined;

  constructor(parts: BridgeParts, profileOf: (axis: AxisConfig) => DriveProfile) {
    const { clock, random, bus, config } = parts;
    this.#parts = parts;
    this.boot = uuidV7(clock, random);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#outbox = new ReportOutbox(bus, clock, this.boot);
    this.#samples = new SampleOutlet(bus, clock);
    this.#controller = new ControllerWatch(clock.monotonicMs());
    for (const link of config.links) this.#addLink(link, linkPlan(link, config, profileOf));
    for (const axis of config.axes) this.#addAxis(axis, profileOf(axis));
    this.#listen();
    // The controller has to know that this is another bridge before it hears anything of it, and before it orders anything.
    this.#beat();
    this.#outbox.send(this.#ready());
    for (const link of this.#links.values()) link.open();
    for (const axis of this.#axes.values()) axis.start();
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown(settleAxes([...this.#axes.values()], this.#parts.clock));
    return this.#closing;
  }

  leave(successor: AbortSignal): Promise<void> {
    if (this.#closing) return this.#closing;
    this.#controller.gone();
    this.#lookForController();
    this.#closing = this.#shutDown(settleOrphans([...this.#axes.values()], this.#parts.clock, successor));
    return this.#closing;
  }

  #addLink(config: LinkConfig, plan: LinkPlan): void {
    const link = this.#parts.createLink(config, plan);
    this.#links.set(config.id, link);
    if (plan.together.syncWrite.length > 1) this.#starts.set(config.id, new StartGate(this.#parts.clock));
    this.#undo.push(link.onState(() => this.#outbox.send(this.#linkStatus(link))));
  }

  #addAxis(config: AxisConfig, profile: DriveProfile): void {
    const link = this.#links.get(config.link);
    const line = this.#parts.config.links.find(({ id }) => id === config.link);
    if (!link || !line)
      throw new BridgeError("no-such-link", { axis: config.id, link: config.link }, "name one of the links");
    const { clock, random, log } = this.#parts;
    const supervisor = new AxisSupervisor({
      config,
      stopWaitMaxMs: line.stopWaitMaxMs,
      link,
      drive: createDrive(profile),
      clock,
      log,
      report: (report) => this.#outbox.send(report),
      sample: (sample) => this.#samples.add(sample),
      gate: () => ({
        epoch: this.#controller.epoch,
        controllerSilent: this.#controller.silent(clock.monotonicMs()),
        closing: this.#closing !== undefined,
      }),
      abilitiesChanged: () => this.#outbox.send(this.#ready()),
      newStopId: () => uuidV7(clock, random),
      starts: startsTogether(profile) ? this.#starts.get(config.link) : undefined,
    });
    this.#axes.set(config.id, supervisor);
  }

  #listen(): void {
    const { bus, clock } = this.#parts;
    const timer = (every: Timer) => void this.#undo.push(() => every.cancel());
    this.#undo.push(
      bus.subscribe("stops", (stop) => this.#stop(stop)),
      bus.subscribe("orders", (message) => this.#message(message)),
      bus.subscribe("controller-beats", (beat) => {
        if (this.#controller.heard(beat, clock.monotonicMs())) this.#outbox.seen(beat);
      }),
    );
    this.#undo.push(bus.onConnection((connected) => connected && this.#beat()));
    const frames = (link: LinkId) => this.#links.get(link)?.frames();
    this.#undo.push(serveCaptures({ bus, clock, links: this.#parts.config.links, frames }));
    timer(clock.every(BEAT_PERIOD_MS, () => this.#beat()));
    timer(clock.every(SILENCE_LOOK_MS, () => this.#lookForController()));
    timer(clock.every(LINK_STATS_MS, () => this.#tellLinkStats()));
  }

  #stop(stop: StopOrder): void {
    this.#controller.sees(stop.epoch);
    const axis = this.#axes.get(stop.axis);
    if (axis) {
      axis.stop(stop);
      return;
    }
    this.#outbox.send(unknownAxisStop(stop, this.#parts.clock.wallUs()));
  }

  #message(message: OrderMessage): void {
    switch (message.type) {
      case "order":
        this.#order(message.order);
        return;
      case "settle":
        this.#controller.sees(message.settle.epoch);
        this.#axes.get(message.settle.axis)?.settle(message.settle);
        return;
      case "describe":
        this.#controller.sees(message.epoch);
        for (const axis of this.#axes.values()) axis.decidedUnder(message.stopGenerations[axis.config.id] ?? 0);
        this.#describe();
        return;
      case "authority":
        this.#controller.sees(message.epoch);
        this.#axes.get(message.axis)?.authority(message.epoch, message.leaseSequence);
        return;
      case "jog-beat":
        this.#controller.sees(message.epoch);
        this.#axes.get(message.axis)?.jogBeat(message.session, message.released);
        return;
      case "shut-down":
        // An older controller may not close what a newer one has taken over.
        if (message.epoch >= this.#controller.epoch) void this.close();
        return;
      default:
        never(message);
    }
  }

  #order(order: Order): void {
    this.#controller.sees(order.epoch);
    const axis = this.#axes.get(order.axis);
    if (axis) {
      axis.submit(order);
      return;
    }
    this.#outbox.send(unknownAxisOrder(order));
  }

  #describe(): void {
    this.#outbox.send(this.#ready());
    for (const axis of this.#axes.values()) this.#outbox.send({ type: "axis-status", status: axis.status() });
    // A link that has not been tried yet is neither up nor down: it says so itself in a moment.
    for (const link of this.#links.values()) {
      if (link.up || link.downReason !== NOT_OPENED_YET) this.#outbox.send(this.#linkStatus(link));
    }
  }

  #ready(): Report {
    const axes = [...this.#axes.values()].map((axis) =>
      axisAbilities(axis.config, axis.drive.profile, axis.drive.watchdogArmed),
    );
    return { type: "bridge-ready", bridgeBoot: this.boot, axes };
  }

  #linkStatus(link: Link): Report {
    const reason = link.up ? null : (link.downReason ?? "not open");
    return { type: "link-status", link: link.id, up: link.up, reason, atUs: this.#parts.clock.wallUs() };
  }

  #beat(): void {
    const monotonicMs = this.#parts.clock.monotonicMs();
    this.#parts.bus.publish("bridge-beats", {
      bridgeBoot: this.boot,
      seq: ++this.#beatSeq,
      monotonicMs,
      reportSeq: this.#outbox.seq,
    });
  }

  /**
   * A controller that was killed, hangs, or is cut off: each axis by its own policy, also one that is only now seen
   * moving, and no orders until it is heard again.
   */
  #lookForController(): void {
    if (!this.#controller.isLost(this.#parts.clock.monotonicMs())) {
      this.#stoppedForLoss.clear();
      return;
    }
    for (const axis of this.#axes.values()) {
      if (axis.config.onControllerLost !== "stop" || !axis.busy || this.#stoppedForLoss.has(axis)) continue;
      this.#stoppedForLoss.add(axis);
      this.#parts.log.warn({ axis: axis.config.id }, "the controller is not heard: stop");
      axis.stopByBridge("controller-lost");
    }
  }

  #tellLinkStats(): void {
    for (const link of this.#links.values())
      this.#parts.bus.publish("samples", {
        type: "link-stats",
        stats: { ...link.stats(), groupStart: this.#starts.get(link.id)?.last ?? null },
      });
  }

  async #shutDown(settled: Promise<void>): Promise<void> {
    await settled;
    for (const axis of this.#axes.values()) axis.close();
    this.#samples.flush();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    for (const undo of this.#undo) undo();
    this.#resolveClosed();
  }
}
