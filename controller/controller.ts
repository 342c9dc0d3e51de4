import { type AxisId, boxStream } from "@servofleet/contracts";
import type { FastifyInstance } from "fastify";
import { listenOnSocket, writeServer } from "./api/server.ts";
import type { WriteApi } from "./api/write-api.ts";
import { LeaseBook } from "./authority/lease-book.ts";
import { BridgeLink } from "./bridge-link/bridge-link.ts";
import { bridgeLost } from "./bridge-link/bridge-loss.ts";
import { watchClock } from "./clock-watch.ts";
import { type ControllerOptions, POISONED_EXIT_CODE } from "./controller-parts.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { LogError } from "./event-log/event-log.ts";
import { AxisBook } from "./inbox/axis-book.ts";
import { CommandWaiters } from "./inbox/command-waiters.ts";
import { Journal } from "./inbox/journal.ts";
import { ReportDesk } from "./inbox/report-desk.ts";
import { ReportInbox } from "./inbox/report-inbox.ts";
import { LiveSocket } from "./live/live-socket.ts";
import { feedSamples } from "./live/sample-feed.ts";
import type { ProgramShelf } from "./programs/program-shelf.ts";
import { type FormerLife, foldLog } from "./recovery/fold-log.ts";
import { Recovery } from "./recovery/recovery.ts";
import { recordStart } from "./recovery/start-records.ts";
import { StopLane } from "./stop/stop-lane.ts";
import { openWriteDesks } from "./write-desks.ts";

/** Answers under way leave before a poisoned controller goes. */
const LAST_WORDS_MS = 200;
const LOG_LOOK_MS = 1000;
/** How long the bridge may take to bring its axes to rest (its own limits are shorter). */
export const SHUTDOWN_LIMIT_MS = 10_000;
const SHUTDOWN_LOOK_MS = 20;
const START_RETRY_MS = 1000;

/** The write side, running. */
export interface Controller {
  /** Refuses new commands, lets the bridge stop its axes by `onShutdown`, records the end. Stops pass meanwhile. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the write side: folds the log, records the start, listens, and lets nothing move before every axis was read.
 * Rejects when the log cannot be read or a socket cannot be opened. The bus, the log and the store stay the caller's to close.
 * With `takeDesks` the desks are handed over in the process instead, and neither socket is opened (simulation).
 */
export async function startController(
  options: ControllerOptions,
  takeDesks?: (api: WriteApi) => void,
): Promise<Controller> {
  const running = new RunningController(options, takeDesks);
  await running.start();
  return running;
}

class RunningController implements Controller {
  readonly #options: ControllerOptions;
  readonly #takeDesks: ((api: WriteApi) => void) | undefined;
  readonly #book: AxisBook;
  readonly #journal: Journal;
  readonly #link: BridgeLink;
  readonly #stopLane: StopLane;
  readonly #dispatcher: Dispatcher;
  readonly #leases: LeaseBook;
  readonly #recovery: Recovery;
  readonly #reportDesk: ReportDesk;
  readonly #reports: ReportInbox;
  readonly #waiters: CommandWaiters;
  readonly #ends: (() => void)[] = [];
  #api: FastifyInstance | undefined;
  #live: LiveSocket | undefined;
  #closing: Promise<void> | undefined;
  #broken = false;
  /** The start is on disk: only on top of it may anything be decided. */
  #started = false;
  /** A bridge was heard and has not been missed since. */
  #bridgeThere = false;

  constructor(options: ControllerOptions, takeDesks: ((api: WriteApi) => void) | undefined) {
    const { config, log, bus, clock, random, logger } = options;
    this.#options = options;
    this.#takeDesks = takeDesks;
    const book = new AxisBook(config.axes);
    const journal = new Journal(log, book, clock);
    const link = new BridgeLink(
      {
        bus,
        clock,
        epoch: log.epoch,
        reportsSeen: (boot) => this.#reports.seen(boot),
        stopGenerations: () => book.stopGenerations(),
      },
      { onSeen: (_boot, sameBoot) => this.#bridgeSeen(sameBoot), onLost: (reason) => this.#bridgeLost(reason) },
    );
    const stopLane = new StopLane({ link, book, journal, clock, random, logger });
    const recovery = new Recovery({ config, book, journal, link, stopLane, clock, logger });
    const onReady = (bridgeBoot: string): void => {
      logger.info({ bridgeBoot }, "the firmware bridge is ready");
      if (bridgeBoot === link.boot) link.described();
      recovery.bridgeReady();
    };
    this.#book = book;
    this.#journal = journal;
    this.#link = link;
    this.#stopLane = stopLane;
    this.#recovery = recovery;
    this.#leases = new LeaseBook(clock);
    this.#dispatcher = new Dispatcher({ link, book, journal, leases: this.#leases, clock, random, logger });
    this.#waiters = new CommandWaiters(clock);
    this.#reportDesk = new ReportDesk({ config, book, journal, stopLane, recovery, onReady });
    this.#reports = new ReportInbox({
      clock,
      logger,
      handle: (message) => this.#reportDesk.handle(message),
      onJump: () => {
        // What happened meanwhile is not known: read again before anything moves.
        recovery.begin();
        link.describe();
      },
    });
  }

  async start(): Promise<void> {
    const { log, config, socketPath, liveSocketPath, logger } = this.#options;
    const former = await foldLog(log, this.#book, config);
    for (const [link, up] of former.linkUp) this.#reportDesk.rememberLink(link, up);
    this.#listenToJournal();
    this.#stopLane.resume();
    await this.#recordStart(former);
    if (!this.#takeDesks) this.#live = await LiveSocket.listen(liveSocketPath, logger);
    this.#listenToBus();
    await this.#openApi(socketPath, former.shelf);
  }

  /** A full disk keeps motion out, never the house: stops have to work. The records follow when there is room. */
  async #recordStart(former: FormerLife, again = false): Promise<void> {
    const { logger, clock } = this.#options;
    const parts = { ...this.#options, book: this.#book, journal: this.#journal };
    const { toSettle, recorded } = recordStart(parts, former);
    try {
      await recorded;
      this.#started = true;
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== "log-full") throw error;
      if (!again) logger.error({ error }, "the start could not be recorded: no space left");
      const retry = clock.after(START_RETRY_MS, () => void this.#recordStart(former, true), true);
      this.#ends.push(() => retry.cancel());
    }
    if (again && !this.#started) return;
    this.#recovery.begin((axis: AxisId) => toSettle.get(axis) ?? []);
    // Nothing counts as known from before the record: the bridge has told it once and has no news.
    if (again) this.#link.describe();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #openApi(path: string, shelf: ProgramShelf): Promise<void> {
    const desks = openWriteDesks({
      options: this.#options,
      book: this.#book,
      journal: this.#journal,
      link: this.#link,
      stopLane: this.#stopLane,
      dispatcher: this.#dispatcher,
      leases: this.#leases,
      waiters: this.#waiters,
      shelf,
      shuttingDown: () => this.#closing !== undefined,
      beingRead: (axis) => !this.#started || this.#recovery.holds(axis),
      unready: () => this.#unready(),
    });
    this.#ends.push(() => desks.close());
    if (this.#takeDesks) return this.#takeDesks(desks.api);
    this.#api = await writeServer(desks.api);
    await listenOnSocket(this.#api, path);
  }

  #unready(): string | null {
    if (this.#closing) return "shutting down";
    if (this.#options.log.trouble !== null) return `the event log: ${this.#options.log.trouble}`;
    if (!this.#link.alive) return "no firmware bridge";
    return this.#recovery.running || !this.#started ? "axes are being read" : null;
  }

  #listenToJournal(): void {
    const { telemetry, logger } = this.#options;
    this.#journal.onRecorded((recorded) => {
      this.#waiters.recorded(recorded);
      for (const event of recorded) {
        if (event.type === "FaultRaised") telemetry.fault(event.stream.slice("axis-".length) as AxisId, event.wallUs);
      }
    });
    this.#journal.onDecided((entries) => {
      for (const entry of entries) {
        if (!("axis" in entry) || !entry.events.some(({ event }) => event.type === "UnexpectedMotionSeen")) continue;
        logger.error({ axis: entry.axis }, "the axis moves without a command of ours: stopping it");
        this.#stopLane.raise({ name: "axis", axes: [entry.axis] }, "unexpected-motion", "controller");
      }
    });
    this.#journal.onBroken = (error) => this.#logBroken(error);
    const { log, clock } = this.#options;
    // It may break outside of an append (signing, sealing, the look whether there is room again), and then nobody else asks.
    const look = clock.every(LOG_LOOK_MS, () => log.trouble === "log-poisoned" && this.#logBroken("found broken"));
    this.#ends.push(() => look.cancel());
  }

  #listenToBus(): void {
    const { bus, clock, config, logger, telemetry } = this.#options;
    const live = this.#live;
    this.#ends.push(
      bus.subscribe("reports", (message) => this.#reports.take(message)),
      bus.subscribe("samples", (message) => feedSamples(message, this.#book, telemetry, (out) => live?.publish(out))),
      // The first word on a new connection is a stop, if one is owed.
      bus.onConnection((connected) => connected && this.#greet()),
    );
    const clockWatch = watchClock(config.box, clock, this.#journal, logger);
    this.#ends.push(() => clockWatch.cancel());
    this.#link.start();
    if (bus.connected) this.#greet();
  }

  #greet(): void {
    this.#stopLane.tellAgain();
    this.#link.describe();
  }

  #bridgeSeen(sameBoot: boolean): void {
    if (this.#closing) return;
    // A successor that is quicker than our patience: what moved is stopped first all the same.
    if (!sameBoot && this.#bridgeThere) this.#unwatched("another one has taken its place");
    this.#bridgeThere = true;
    if (!sameBoot) this.#recovery.begin();
    this.#greet();
    if (!sameBoot) void this.#journal.settled().then(() => this.#askAgain());
  }

  /** What the former bridge told last and a full disk then refused, nobody repeats: the new one is asked for it. */
  #askAgain(): void {
    if (this.#closing) return;
    this.#recovery.askRefused();
    this.#stopLane.tellAgain();
  }

  #bridgeLost(reason: string): void {
    if (this.#closing) return;
    this.#bridgeThere = false;
    this.#unwatched(reason);
    this.#options.onBridgeLost?.(reason);
  }

  #unwatched(reason: string): void {
    const [book, journal, stopLane, reportDesk] = [this.#book, this.#journal, this.#stopLane, this.#reportDesk];
    const parts = { ...this.#options, book, journal, stopLane, reportDesk };
    bridgeLost(reason, parts);
  }

  #logBroken(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    const { clock, logger, onPoisoned } = this.#options;
    logger.error({ error }, "the event log cannot be trusted any more: this process has to go");
    clock.after(LAST_WORDS_MS, () => onPoisoned?.(POISONED_EXIT_CODE));
  }

  async #close(): Promise<void> {
    const { config, logger } = this.#options;
    this.#dispatcher.close();
    this.#recovery.close();
    await this.#shutBridgeDown();
    const box = boxStream(config.box);
    await this.#journal
      .record([{ stream: box, events: [{ type: "BoxStopped", data: { reason: "shutdown" } }] }])
      .catch((error: unknown) => logger.error({ error }, "the end could not be recorded"));
    this.#waiters.close();
    await this.#api?.close();
    await this.#live?.close();
    for (const end of this.#ends) end();
    this.#link.stop();
    this.#stopLane.close();
    await this.#journal.settled();
    this.#journal.close();
  }

  /** The axes first: the bridge brings them to rest by `onShutdown`, says what became of it, and goes. */
  async #shutBridgeDown(): Promise<void> {
    const { clock, logger, bus } = this.#options;
    this.#link.forgiveSilence();
    if (!this.#link.alive || !this.#link.shutDown()) return;
    const limitMs = clock.monotonicMs() + SHUTDOWN_LIMIT_MS;
    while (this.#link.alive && bus.connected && clock.monotonicMs() < limitMs) {
      await new Promise<void>((resolve) => clock.after(SHUTDOWN_LOOK_MS, resolve));
    }
    if (this.#link.alive) logger.warn({ limitMs: SHUTDOWN_LIMIT_MS }, "the bridge did not end in time");
  }
}
