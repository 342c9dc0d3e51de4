import type { AxisConfig, AxisStatus, Order, Report, Sample, SettleRequest, StopOrder } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { Drive } from "../handshake/drive.ts";
import { type DriveFacts, UNKNOWN_FACTS } from "../handshake/drive-facts.ts";
import type { Link } from "../link/link.ts";
import type { AxisParts, BridgeLog } from "./axis-parts.ts";
import { HoldKeeper } from "./hold-keeper.ts";
import { LimitKeeper } from "./limit-keeper.ts";
import { type CountLimits, countLimits } from "./limit-watch.ts";
import { OrderLane } from "./order-lane.ts";
import { Poller } from "./poller.ts";
import type { Reading } from "./reading.ts";
import { SettleDesk } from "./settle-desk.ts";
import type { StartGate } from "./start-gate.ts";
import { StatusBoard } from "./status-board.ts";
import { StopLane } from "./stop-lane.ts";

export interface SupervisorParts {
  readonly config: AxisConfig;
  /** Cap of a reply time-out on the link, ms: part of the reaction time before a limit. */
  readonly stopWaitMaxMs: number;
  readonly link: Link;
  readonly drive: Drive;
  readonly clock: Clock;
  readonly log: BridgeLog;
  readonly report: (report: Report) => void;
  /** Of the axis' line, where its drive can be started by one frame with others. */
  readonly starts?: StartGate | undefined;
  readonly sample: (sample: Sample) => void;
  /** Epoch, silence of the controller, shutting down: the same for all axes. */
  readonly gate: () => { readonly epoch: number; readonly controllerSilent: string | null; readonly closing: boolean };
  /** What the axis can do has changed: its watchdog was read back otherwise than before. */
  readonly abilitiesChanged?: () => void;
  /** A new id for a stop of the bridge's own. */
  readonly newStopId: () => string;
}

const ABORTED_BY = {
  person: "stop",
  "restart-recovery": "stop",
  "unexpected-motion": "stop",
  program: "stop",
  lapse: "policy",
  "controller-lost": "policy",
  shutdown: "policy",
  limit: "limit",
} as const;

/** One axis in the bridge: its orders, its stop, its readings. Everything of the axis passes through here. */
export class AxisSupervisor {
  readonly config: AxisConfig;
  readonly drive: Drive;
  readonly #parts: SupervisorParts;
  readonly #lane: OrderLane;
  readonly #stops: StopLane;
  readonly #poller: Poller;
  readonly #board: StatusBoard;
  readonly #settles: SettleDesk;
  readonly #limits: LimitKeeper;
  readonly #holds: HoldKeeper;
  /** Who controls the axis, as the newest controller counts it. */
  #authority = { epoch: 0, leaseSequence: 0 };
  #facts: DriveFacts = UNKNOWN_FACTS;
  #watchdogTold: boolean | null | undefined;

  constructor(parts: SupervisorParts) {
    this.config = parts.config;
    this.drive = parts.drive;
    this.#watchdogTold = parts.drive.watchdogArmed;
    this.#parts = parts;
    const { config, drive } = parts;
    const { settle } = drive.profile.data;
    const fault = (code: number | null) => drive.profile.fault(code ?? 0);
    const limits: CountLimits = countLimits(config.limits.min, config.limits.max, config.countsPerUnit);
    this.#board = new StatusBoard(config.id, settle.positionWindowCounts, fault);
    const lanes = this.#axisParts();
    this.#lane = new OrderLane(lanes);
    this.#stops = new StopLane(lanes, {
      acknowledged: ({ reason }) => this.#lane.abortDriving(ABORTED_BY[reason], reason),
      changed: () => this.#tellNews(),
    });
    this.#limits = new LimitKeeper(lanes, limits, parts.stopWaitMaxMs, {
      motion: () => this.#lane.motion,
      stop: () => this.stopByBridge("limit"),
      abort: (detail) => this.#lane.abortDriving("limit", detail),
    });
    this.#holds = new HoldKeeper(lanes, {
      held: (session) => this.#lane.held(session),
      refuseStale: () => this.#lane.refuseStale(),
      abort: (by, detail) => this.#lane.abortDriving(by, detail),
      stop: () => this.stopByBridge("lapse"),
    });
    this.#settles = new SettleDesk(lanes, () => this.status());
    this.#poller = new Poller(lanes, {
      beforeAnything: () => this.#stops.flush(),
      fast: () =>
        this.#board.moving ||
        this.#lane.underWay ||
        this.#stops.pending ||
        this.#settles.waiting ||
        this.#board.reads < 2,
      underWay: () => this.#lane.underWay || this.#board.moving,
      attached: () => undefined,
      reading: (reading) => this.#reading(reading),
      offline: (reason) => this.#offline(reason),
    });
  }

  start(): void {
    this.#poller.start();
  }

  close(): void {
    this.#holds.close();
    this.#poller.stop();
  }

  get moving(): boolean {
    return this.#board.moving;
  }

  /** Moving, or an order of ours is being sent or watched, or a stop is not confirmed. */
  get busy(): boolean {
    return this.#board.moving || this.#lane.underWay || this.#stops.pending;
  }

  status(): AxisStatus {
    return this.#board.status(this.#stops.generation, this.#stops.pending);
  }

  submit(order: Order): void {
    this.decidedUnder(order.stopGeneration);
    this.#controlledBy(order.epoch, order.leaseSequence);
    this.#lane.submit(order);
    if (order.hold) this.#holds.began(order.hold);
  }

  /** Control over the axis has changed hands: what was decided before and has not been sent never is. */
  authority(epoch: number, leaseSequence: number): void {
    this.#controlledBy(epoch, leaseSequence);
    this.#lane.refuseStale();
  }

  /** A beat of a hold-to-run session, or its end. */
  jogBeat(session: string, released: boolean): void {
    this.#holds.beat(session, released);
  }

  /** Each controller counts changes of control anew. */
  #controlledBy(epoch: number, leaseSequence: number): void {
    const { epoch: known, leaseSequence: newest } = this.#authority;
    if (epoch < known) return;
    this.#authority = { epoch, leaseSequence: epoch > known ? leaseSequence : Math.max(newest, leaseSequence) };
  }

  /**
   * The controller counts stops over all lives of the bridge, the bridge from 0: a stop of its own has to be newer than
   * all of them, else it would refuse no order and be no news to the controller.
   */
  decidedUnder(stopGeneration: number): void {
    this.#stops.generation = Math.max(this.#stops.generation, stopGeneration);
  }

  /** Never refused. Raises the generation before anything else, then goes to the wire past every queue. */
  stop(order: StopOrder): void {
    this.#stops.generation = Math.max(this.#stops.generation, order.stopGeneration);
    this.#parts.link.withdraw(this.config.unit, "stop");
    this.#stops.submit(order);
    this.#lane.refuseStale();
    this.#poller.wake();
  }

  /** A stop of the bridge's own: a lost controller, a shutdown, a limit. */
  stopByBridge(reason: "controller-lost" | "shutdown" | "limit" | "lapse"): void {
    const stopGeneration = this.#stops.generation + 1;
    const { epoch } = this.#parts.gate();
    this.stop({ stopId: this.#parts.newStopId(), axis: this.config.id, epoch, stopGeneration, reason });
  }

  /** Answers by two fresh readings. */
  settle(request: SettleRequest): void {
    this.#settles.ask(request);
    this.#poller.wake();
  }

  #axisParts(): AxisParts {
    const { config, link, drive, clock, log, report, starts } = this.#parts;
    return {
      starts,
      config,
      link,
      drive,
      clock,
      log,
      report,
      facts: () => this.#facts,
      offline: () => this.#offlineNow(),
      guard: () => this.#guard(),
      wake: () => this.#poller.wake(),
    };
  }

  #guard(): ReturnType<AxisParts["guard"]> {
    const gate = this.#parts.gate();
    const leaseSequence = this.#authority.epoch === gate.epoch ? this.#authority.leaseSequence : 0;
    return { ...gate, stopGeneration: this.#stops.generation, leaseSequence };
  }

  #offlineNow(): ReturnType<AxisParts["offline"]> {
    const { link } = this.#parts;
    if (!link.up)
      return { reason: "link-down", words: `link ${this.config.link} is down: ${link.downReason ?? "not open"}` };
    if (this.#board.online && this.#facts.positionCounts !== null) return null;
    return { reason: "axis-offline", words: this.#board.offlineReason ?? "not read yet" };
  }

  async #reading(reading: Reading): Promise<void> {
    this.#facts = reading.facts;
    this.#tellWatchdog();
    this.#board.seen(reading);
    this.#sample(reading);
    // The status first: an order that ends on this reading must find the axis as the reading shows it.
    this.#tellNews();
    this.#limits.reading(reading);
    const wasUnderWay = this.#lane.underWay;
    await this.#lane.reading(reading);
    this.#settles.reading(reading);
    if (wasUnderWay && !this.#lane.underWay) this.#tellRest();
  }

  /** Before the status: what an order's end allows must be known when the end is. */
  #tellWatchdog(): void {
    const { watchdogArmed } = this.drive;
    if (watchdogArmed === this.#watchdogTold) return;
    this.#watchdogTold = watchdogArmed;
    this.#parts.abilitiesChanged?.();
  }

  /** While an order drives, "it stands" changes no state that anybody shows; said again, it ends `stopping` after a failure. */
  #tellRest(): void {
    this.#board.tellAgain();
    this.#tellNews();
  }

  #offline(reason: string): void {
    this.#facts = UNKNOWN_FACTS;
    this.#board.lost(reason, this.#parts.clock.wallUs());
    this.#tellNews();
    this.#lane.silence(this.#parts.clock.monotonicMs());
    this.#settles.silent();
  }

  #tellNews(): void {
    const status = this.#board.news(this.#stops.generation, this.#stops.pending, this.#parts.clock.monotonicMs());
    if (status) this.#parts.report({ type: "axis-status", status });
  }

  #sample({ facts, middleUs, velocityCountsPerS }: Reading): void {
    if (facts.positionCounts === null) return;
    this.#parts.sample({
      axis: this.config.id,
      atUs: middleUs,
      positionCounts: facts.positionCounts,
      velocityCountsPerS,
      followingErrorCounts: facts.followingErrorCounts,
      torque: facts.torque,
      temperature: facts.temperature,
      moving: facts.moving ?? this.#board.moving,
      quality: facts.enabled === null ? "uncertain" : "good",
    });
  }
}
