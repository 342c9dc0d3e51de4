import { type RecordedEvent, rfc3339 } from "@servofleet/contracts";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import type { AlarmRow } from "../projections/alarm-history.ts";
import { alarmHistory } from "../projections/alarm-history.ts";
import { axisBoard } from "../projections/axis-board.ts";
import type { AxisRow } from "../projections/axis-row.ts";
import { commandHistory } from "../projections/command-history.ts";
import type { CommandRow } from "../projections/command-row.ts";
import { type GroupRow, groupBoard } from "../projections/group-board.ts";
import { type LinkRow, linkBoard } from "../projections/link-board.ts";
import { EventRing } from "./event-ring.ts";
import { logPages } from "./log-pages.ts";
import { type LogSource, PAGE_EVENTS } from "./log-source.ts";
import { PositionWaiters } from "./position-waiters.ts";
import type { Projection } from "./projection.ts";
import { Projector } from "./projector.ts";
import type { ViewStore } from "./view-store.ts";

/** Back-off after the log could not be read. */
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5000;

/** Failures of the log reader that no second try mends. */
const LOG_LOST: ReadonlySet<string> = new Set(["log-replaced", "log-shorter", "log-format"]);

/** Where a projection keeps its rows: a file in `read/`, or memory. */
export type OpenStore = <Row>(projection: Projection<Row>) => Promise<ViewStore<Row>>;

export interface Logger {
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}

export interface Projectors {
  readonly axes: Projector<AxisRow>;
  readonly commands: Projector<CommandRow>;
  readonly links: Projector<LinkRow>;
  readonly alarms: Projector<AlarmRow>;
  readonly groups: Projector<GroupRow>;
}
export type ProjectionName = keyof Projectors;

/** All projections over one log: feeds them, knows their lag, lets requests wait for a position. */
export class ReadModel {
  readonly log: LogSource;
  readonly projectors: Projectors;
  readonly ring = new EventRing();
  readonly waiters: PositionWaiters;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #haltedSince = new Map<string, string>();
  #known = 0;
  #newestWallUs = 0;
  #ready = false;
  #failure: string | null = null;
  readonly #lost = Promise.withResolvers<Error>();
  #running: Promise<void> = Promise.resolve();

  private constructor(log: LogSource, projectors: Projectors, clock: Clock, logger: Logger) {
    this.log = log;
    this.projectors = projectors;
    this.waiters = new PositionWaiters(clock);
    this.#clock = clock;
    this.#logger = logger;
  }

  static async open(log: LogSource, openStore: OpenStore, clock: Clock, logger: Logger): Promise<ReadModel> {
    const make = async <Row>(projection: Projection<Row>) => {
      const projector = new Projector(projection, log.logId, clock, await openStore(projection));
      const how = await projector.open(log);
      logger.info({ projection: projection.name, position: projector.position }, `projection ${how}`);
      return projector;
    };
    const projectors: Projectors = {
      axes: await make(axisBoard),
      commands: await make(commandHistory),
      links: await make(linkBoard),
      alarms: await make(alarmHistory),
      groups: await make(groupBoard),
    };
    return new ReadModel(log, projectors, clock, logger);
  }

  get all(): readonly Projector<never>[] {
    return Object.values(this.projectors) as unknown as readonly Projector<never>[];
  }
  /** The file of one of its projections. */
  storeOf<Row>(projection: Projection<Row>): ViewStore<Row> | null {
    const found = this.all.find((projector) => projector.projection.name === projection.name);
    return (found?.store as ViewStore<Row> | null | undefined) ?? null;
  }
  /** Highest position the log is known to have. */
  get known(): number {
    return this.#known;
  }
  get newestWallUs(): number {
    return this.#newestWallUs;
  }
  /** True once every projection has reached what the log held at start. */
  get ready(): boolean {
    return this.#ready;
  }
  /** Why the log cannot be read now; null while it can. */
  get failure(): string | null {
    return this.#failure;
  }
  /** Settles when this log is gone for good (replaced, shortened): only a fresh start can open the new one. */
  get lost(): Promise<Error> {
    return this.#lost.promise;
  }
  /** Wall time a projection halted at, RFC 3339. */
  haltedSince(name: string): string | undefined {
    return this.#haltedSince.get(name);
  }

  /** Position that every one of these projections has. */
  position(names: readonly ProjectionName[]): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const name of names) lowest = Math.min(lowest, this.projectors[name].position);
    return lowest === Number.POSITIVE_INFINITY ? this.#known : lowest;
  }
  /** Lag of the slowest of these projections, whole ms. */
  lagMs(names: readonly ProjectionName[]): number {
    const nowMs = this.#clock.monotonicMs();
    let most = 0;
    for (const name of names) most = Math.max(most, this.projectors[name].lagMs(nowMs));
    return Math.round(most);
  }

  /** Events after `position`: from memory at the end of the log, else from the log. */
  async page(position: number, limit: number): Promise<readonly RecordedEvent[]> {
    return this.ring.after(position, limit) ?? (await this.log.readAfter(position, limit));
  }

  /** Called after every batch. Returns the function that ends it. */
  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Catches up, then follows until `close`. The returned promise settles when the first catch-up is done. */
  start(): Promise<void> {
    for (const projector of this.all) projector.markBehind();
    return new Promise((resolve) => {
      this.#running = this.#run(() => {
        if (this.#ready) return;
        this.#ready = true;
        resolve();
      }).finally(resolve);
    });
  }

  async #run(ready: () => void): Promise<void> {
    const { signal } = this.#stop;
    let waitMs = RETRY_FIRST_MS;
    while (!signal.aborted) {
      try {
        await this.#catchUp();
        this.#failure = null;
        ready();
        waitMs = RETRY_FIRST_MS;
        await this.log.follow(this.#known, (events) => this.#take(events), signal);
      } catch (cause) {
        if (signal.aborted) return;
        for (const projector of this.all) projector.markBehind();
        this.#failure = cause instanceof Error ? cause.message : String(cause);
        if (cause instanceof Error && "code" in cause && LOG_LOST.has(String(cause.code))) {
          this.#logger.error({ err: cause }, "the log is another one now; a fresh start rebuilds from it");
          this.#lost.resolve(cause);
          return;
        }
        this.#logger.warn({ err: cause, waitMs }, "the log cannot be read; trying again");
      }
      await sleep(this.#clock, waitMs, signal).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
    }
  }

  /** Every projection from its own checkpoint to the end of the log, one page for all of them. */
  async #catchUp(): Promise<void> {
    const live = this.all.filter((projector) => projector.halted === null);
    const from = live.length === 0 ? await this.log.newestPosition() : Math.min(...live.map((p) => p.position));
    let reached = from;
    for await (const page of logPages(this.log, from)) {
      if (this.#stop.signal.aborted) return;
      if (page.length > 0) await this.#take(page);
      reached += page.length;
    }
    this.#known = Math.max(this.#known, reached);
    for (const projector of live) projector.markCaughtUp();
  }

  async #take(events: readonly RecordedEvent[]): Promise<void> {
    const last = events.at(-1);
    if (!last) return;
    const behind = events.length >= PAGE_EVENTS;
    for (const projector of this.all) {
      if (projector.halted !== null) continue;
      if (behind) projector.markBehind();
      await this.#feed(projector, events);
      if (!behind) projector.markCaughtUp();
    }
    this.ring.push(events);
    this.#known = Math.max(this.#known, last.position);
    this.#newestWallUs = last.wallUs;
    this.waiters.advanced();
    for (const listener of this.#listeners) listener();
  }

  async #feed(projector: Projector<never>, events: readonly RecordedEvent[]): Promise<void> {
    const first = events[0]?.position ?? 0;
    // Projections start from different checkpoints: each takes from the shared page what it does not have yet.
    const have = projector.position - first + 1;
    await projector.handle(have > 0 ? events.slice(have) : events);
    if (projector.halted === null) return;
    const { name } = projector.projection;
    this.#haltedSince.set(name, rfc3339(this.#clock.wallUs()));
    this.#logger.error({ projection: name, err: projector.halted }, "projection halted; the others go on");
  }

  async close(): Promise<void> {
    this.#stop.abort(new DOMException("closing", "AbortError"));
    this.waiters.close();
    await this.#running;
    for (const projector of this.all) await projector.close();
  }
}
