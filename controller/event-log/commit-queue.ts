import type { RecordedEvent } from "@servofleet/contracts";
import type { AppendOptions } from "./event-log.ts";
import type { PreparedEvent } from "./prepared-event.ts";

/** One commit carries at most this many events, */
export const BATCH_EVENTS_MAX = 512;
/** and about this many bytes of data; one call is never split, however large. */
export const BATCH_BYTES_MAX = 256 * 1024;
/** Events that may wait. Then `log-busy`: back-pressure instead of memory. */
export const QUEUE_EVENTS_MAX = 4096;
/** Stop events may wait in this much more room: they are few, and an honest refusal of theirs helps nobody. */
export const STOP_EVENTS_MAX = 4096;

/** One call of `append`, waiting to be settled. */
export interface Waiter {
  readonly prepared: readonly PreparedEvent[];
  readonly bytes: number;
  readonly expected?: AppendOptions["expected"] | undefined;
  resolve(events: readonly RecordedEvent[]): void;
  reject(error: Error): void;
}

/** Two lanes, stop in front; in a lane the order of the calls. */
export class CommitQueue {
  readonly #stops: Waiter[] = [];
  readonly #others: Waiter[] = [];
  #stopEvents = 0;
  #otherEvents = 0;

  get empty(): boolean {
    return this.#stops.length + this.#others.length === 0;
  }

  /** False when the lane is full; the call is then not in the queue. */
  add(waiter: Waiter, priority: boolean): boolean {
    const count = waiter.prepared.length;
    if (priority ? this.#stopEvents + count > STOP_EVENTS_MAX : this.#otherEvents + count > QUEUE_EVENTS_MAX)
      return false;
    if (priority) this.#stopEvents += count;
    else this.#otherEvents += count;
    (priority ? this.#stops : this.#others).push(waiter);
    return true;
  }

  /** The calls of the next commit. */
  take(): readonly Waiter[] {
    const room = { events: BATCH_EVENTS_MAX, bytes: BATCH_BYTES_MAX, first: true };
    const stops = takeWhileRoom(this.#stops, room);
    const others = this.#stops.length === 0 ? takeWhileRoom(this.#others, room) : [];
    this.#stopEvents -= countOf(stops);
    this.#otherEvents -= countOf(others);
    return [...stops, ...others];
  }

  /** Everything that waits, and the queue is empty. */
  clear(): readonly Waiter[] {
    this.#stopEvents = 0;
    this.#otherEvents = 0;
    return [...this.#stops.splice(0), ...this.#others.splice(0)];
  }
}

const countOf = (waiters: readonly Waiter[]): number =>
  waiters.reduce((sum, waiter) => sum + waiter.prepared.length, 0);

function takeWhileRoom(lane: Waiter[], room: { events: number; bytes: number; first: boolean }): Waiter[] {
  let taken = 0;
  for (const { prepared, bytes } of lane) {
    if (!room.first && (prepared.length > room.events || bytes > room.bytes)) break;
    room.first = false;
    room.events -= prepared.length;
    room.bytes -= bytes;
    taken += 1;
  }
  return lane.splice(0, taken);
}
