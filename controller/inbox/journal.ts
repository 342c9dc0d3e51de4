import type { AxisId, RecordedEvent } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { Axis } from "../domain/axis-state.ts";
import { type RaisedStop, raiseStop } from "../domain/decide-stop.ts";
import { foldEvents } from "../domain/state-change.ts";
import { type EventLog, LogError, type NewEvent } from "../event-log/event-log.ts";
import type { AxisBook } from "./axis-book.ts";
import { type JournalEntry, newEvents, streamOf } from "./journal-entry.ts";

/** Events that may be decided and not yet on disk. Then `full`: commands are refused. */
export const JOURNAL_EVENTS_MAX = 4096;
/** One append carries at most this many events, unless a single decision has more. */
const APPEND_EVENTS_MAX = 512;
/** Stop calls whose record the log refused; they are tried again. Beyond it the oldest record is given up, never a latch. */
const UNRECORDED_STOPS_MAX = 256;
const STOP_RETRY_MS = 500;

export interface AxisStop {
  readonly axis: AxisId;
  readonly stop: RaisedStop;
}

interface Batch {
  readonly entries: readonly JournalEntry[];
  readonly rows: readonly NewEvent[];
  /** The axes after this batch. */
  readonly after: readonly Axis[];
  /** Given for stops: they are decided anew when the log takes something back. */
  readonly stops: readonly AxisStop[];
  readonly recorded: Promise<readonly RecordedEvent[]>;
  resolve(recorded: readonly RecordedEvent[]): void;
  reject(error: unknown): void;
}

/**
 * The one door into the log. What is decided counts for the next decision at once (`AxisBook.current`) and is appended
 * in the order of the calls. One append is in flight; the next collects meanwhile, so that many decisions share an
 * fsync and none is written after one that failed: a failed append takes back everything decided on top of it.
 * Stops alone are not taken back: their latch stays in memory and their record is tried again.
 */
export class Journal {
  readonly #log: EventLog;
  readonly #book: AxisBook;
  readonly #clock: Clock;
  readonly #listeners: ((recorded: readonly RecordedEvent[]) => void)[] = [];
  readonly #deciders: ((entries: readonly JournalEntry[]) => void)[] = [];
  #waiting: Batch[] = [];
  #waitingEvents = 0;
  #inFlight: readonly Batch[] = [];
  #retry: Timer | undefined;
  #idle: (() => void)[] = [];
  /** An error no log may have (not a LogError), or poison: the process has to go. */
  onBroken: (error: unknown) => void = () => undefined;

  constructor(log: EventLog, book: AxisBook, clock: Clock) {
    this.#log = log;
    this.#book = book;
    this.#clock = clock;
  }

  get full(): boolean {
    return this.#waitingEvents >= JOURNAL_EVENTS_MAX;
  }

  /** Called with what has just reached the disk, before the caller of `record` hears of it. */
  onRecorded(listener: (recorded: readonly RecordedEvent[]) => void): void {
    this.#listeners.push(listener);
  }

  /** Called with what has just been decided, before it is on disk: for what cannot wait, such as a stop. */
  onDecided(listener: (entries: readonly JournalEntry[]) => void): void {
    this.#deciders.push(listener);
  }

  /**
   * Decided: counts now, resolves when on disk. Rejects with LogError, and then nothing of it counts. A decision without
   * events rests on what its streams had decided before it, and shares the fate of that.
   */
  record(entries: readonly JournalEntry[]): Promise<readonly RecordedEvent[]> {
    return this.#enter(entries, []);
  }

  /** The stops count whatever becomes of the log; resolves when they are on disk, rejects when that has to be tried again. */
  recordStops(stops: readonly AxisStop[]): Promise<readonly RecordedEvent[]> {
    return this.#enter(this.#stopEntries(stops), stops);
  }

  /** Resolves when everything decided so far is on disk or refused. */
  settled(): Promise<void> {
    if (this.#inFlight.length === 0 && this.#waiting.every((batch) => batch.stops.length > 0)) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  close(): void {
    this.#retry?.cancel();
  }

  #enter(entries: readonly JournalEntry[], stops: readonly AxisStop[]): Promise<readonly RecordedEvent[]> {
    const full = entries.filter(({ events }) => events.length > 0);
    if (full.length === 0) return this.#restingOn(entries);
    const { promise, resolve, reject } = Promise.withResolvers<readonly RecordedEvent[]>();
    const [rows, after] = [full.flatMap(newEvents), this.#apply(full)];
    this.#push({ entries: full, rows, after, stops, recorded: promise, resolve, reject });
    for (const listener of this.#deciders) listener(full);
    this.#pump();
    return promise;
  }

  /** Resolves with nothing once the newest decision about one of these streams is on disk. Stops are never taken back. */
  async #restingOn(entries: readonly JournalEntry[]): Promise<readonly RecordedEvent[]> {
    const streams = new Set(entries.map(streamOf));
    const below = [...this.#inFlight, ...this.#waiting].findLast(
      (batch) => batch.stops.length === 0 && batch.entries.some((entry) => streams.has(streamOf(entry))),
    );
    await below?.recorded;
    return [];
  }

  #stopEntries(stops: readonly AxisStop[]): JournalEntry[] {
    return stops.map(({ axis, stop }) => ({
      axis,
      events: raiseStop(this.#book.current(axis), stop),
      origin: { actor: stop.principal },
    }));
  }

  #apply(entries: readonly JournalEntry[]): readonly Axis[] {
    return entries.flatMap((entry) => {
      if ("stream" in entry) return [];
      const after = foldEvents(this.#book.current(entry.axis), entry.events);
      this.#book.decided(after);
      return [after];
    });
  }

  #push(batch: Batch): void {
    this.#waiting.push(batch);
    this.#waitingEvents += batch.rows.length;
  }

  #pump(): void {
    if (this.#inFlight.length > 0 || this.#waiting.length === 0) return;
    let events = 0;
    let count = 0;
    for (const { rows } of this.#waiting) {
      if (count > 0 && events + rows.length > APPEND_EVENTS_MAX) break;
      events += rows.length;
      count += 1;
    }
    const batches = this.#waiting.splice(0, count);
    this.#inFlight = batches;
    const rows = batches.flatMap((batch) => batch.rows);
    const priority = batches.some(({ stops }) => stops.length > 0);
    this.#log.append(rows, { priority }).then(
      (recorded) => this.#committed(batches, events, recorded),
      (error: unknown) => this.#failed(error),
    );
  }

  #committed(batches: readonly Batch[], events: number, recorded: readonly RecordedEvent[]): void {
    assert(recorded.length === events, `${events} events were appended, ${recorded.length} came back`);
    this.#waitingEvents -= events;
    this.#inFlight = [];
    let from = 0;
    const told = batches.map((batch) => {
      for (const axis of batch.after) this.#book.recorded(axis);
      const own = recorded.slice(from, from + batch.rows.length);
      from += batch.rows.length;
      return { batch, own };
    });
    // The next append leaves before anybody is told: the disk does not wait for effects.
    this.#pump();
    for (const listener of this.#listeners) listener(recorded);
    for (const { batch, own } of told) batch.resolve(own);
    this.#tellIdle();
  }

  #failed(error: unknown): void {
    const lost = [...this.#inFlight, ...this.#waiting];
    this.#inFlight = [];
    this.#waiting = [];
    this.#waitingEvents = 0;
    this.#book.takeBack();
    const stops = lost.filter((batch) => batch.stops.length > 0).slice(-UNRECORDED_STOPS_MAX);
    for (const batch of stops) this.#decideAgain(batch);
    const broken = !(error instanceof LogError) || error.code === "log-poisoned";
    for (const batch of lost) batch.reject(error);
    if (broken) this.onBroken(error);
    else if (stops.length > 0) this.#retryLater();
    this.#tellIdle();
  }

  #decideAgain({ stops }: Batch): void {
    const entries = this.#stopEntries(stops);
    const settled = () => undefined;
    const [rows, after] = [entries.flatMap(newEvents), this.#apply(entries)];
    this.#push({ entries, rows, after, stops, recorded: Promise.resolve([]), resolve: settled, reject: settled });
  }

  #retryLater(): void {
    this.#retry?.cancel();
    this.#retry = this.#clock.after(STOP_RETRY_MS, () => this.#pump(), true);
  }

  #tellIdle(): void {
    if (this.#inFlight.length > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
