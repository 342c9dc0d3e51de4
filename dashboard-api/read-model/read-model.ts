import { type RecordedEvent, rfc3339 } from "@servofleet/contracts";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { canonicalDump } from "./canonical-dump.ts";
import { EventRing } from "./event-ring.ts";
import { logPages } from "./log-pages.ts";
import { type LogSource, PAGE_EVENTS } from "./log-source.ts";
import { PositionWaiters } from "./position-waiters.ts";
import type { Projection } from "./projection.ts";
import { ProjectionError } from "./projection-error.ts";
import { foldUntil, type Projector } from "./projector.ts";
import { listOf, type OpenStore, openProjectors, type ProjectionName, type Projectors } from "./projectors.ts";
import type { ViewStore } from "./view-store.ts";

export type { OpenStore, ProjectionName } from "./projectors.ts";

/** Back-off after the log could not be read. */
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5000;

/** Failures of the log reader that no second try mends. */
const LOG_LOST: ReadonlySet<string> = new Set(["log-replaced", "log-shorter", "log-format"]);

export interface Logger {
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}

/** What was found when a projection's files were exchanged for others. */
export interface Adopted {
  readonly projection: string;
  readonly position: number;
  /** Whether the rows in memory that are not settled were the same; null when the former one had stopped. */
  readonly sameInMemory: boolean | null;
}

/** All projections over one log: feeds them, knows their lag, lets requests wait for a position. */
export class ReadModel {
  readonly log: LogSource;
  #projectors: Projectors;
  readonly ring = new EventRing();
  readonly waiters: PositionWaiters;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #haltedSince = new Map<string, string>();
  #turn: Promise<unknown> = Promise.resolve();
  #known = 0;
  #newestWallUs = 0;
  #ready = false;
  #failure: string | null = null;
  readonly #lost = Promise.withResolvers<Error>();
  #running: Promise<void> = Promise.resolve();

  private constructor(log: LogSource, projectors: Projectors, clock: Clock, logger: Logger) {
    this.log = log;
    this.#projectors = projectors;
    this.waiters = new PositionWaiters(clock);
    this.#clock = clock;
    this.#logger = logger;
  }

  static async open(log: LogSource, openStore: OpenStore, clock: Clock, logger: Logger): Promise<ReadModel> {
    const projectors = await openProjectors(log, openStore, clock, ({ projection: { name }, position }, how) =>
      logger.info({ projection: name, position }, `projection ${how}`),
    );
    return new ReadModel(log, projectors, clock, logger);
  }

  /** Ask anew in each turn of the loop: `adopt` exchanges them. */
  get projectors(): Projectors {
    return this.#projectors;
  }
  get all(): readonly Projector<never>[] {
    return listOf(this.#projectors);
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

  /** One after the other: a batch of events, or an exchange of the projections between two of them. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /**
   * Takes over from other files, which stand at an earlier position of this log: they catch up beside the ones that
   * answer, and in one turn of the loop take their place. No read waits for it.
   * Rejects with ProjectionError, and then nothing has changed.
   */
  async adopt(openStore: OpenStore): Promise<readonly Adopted[]> {
    const next = await openProjectors(this.log, openStore, this.#clock);
    try {
      for (const projector of listOf(next)) await this.#follow(projector);
      return await this.#inTurn(async () => {
        for (const projector of listOf(next)) await this.#follow(projector);
        return this.#exchange(next);
      });
    } catch (cause) {
      for (const projector of listOf(next)) await projector.close();
      throw cause;
    }
  }

  async #follow(projector: Projector<never>): Promise<void> {
    const known = this.#known;
    if (projector.position === 0 && known > 0)
      throw new ProjectionError(
        "store-failed",
        { projection: projector.projection.name },
        "the files were made by another version or from another log: rebuild with the version that runs",
      );
    await foldUntil(projector, this.log, known);
    if (projector.halted) throw projector.halted;
  }

  #exchange(next: Projectors): readonly Adopted[] {
    const former = this.all;
    const found = listOf(next).map((projector, at) => ({
      projection: projector.projection.name,
      position: projector.position,
      sameInMemory: sameOpenRows(former[at], projector),
    }));
    this.#projectors = next;
    this.#haltedSince.clear();
    if (this.#failure !== null) for (const projector of this.all) projector.markBehind();
    this.waiters.advanced();
    for (const listener of this.#listeners) listener();
    // What was asked of the former files is still answered before they close.
    for (const projector of former)
      projector.close().catch((err) => this.#logger.warn({ err }, "a former projection file did not close"));
    return found;
  }

  #take(events: readonly RecordedEvent[]): Promise<void> {
    return this.#inTurn(() => this.#feedAll(events));
  }

  async #feedAll(events: readonly RecordedEvent[]): Promise<void> {
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

function sameOpenRows(former: Projector<never> | undefined, next: Projector<never>): boolean | null {
  if (former?.position !== next.position) return null;
  return canonicalDump(former.rows.unsettled()) === canonicalDump(next.rows.unsettled());
}
