import { eventChecker, type RecordedEvent, type StreamName } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { LOG_PAGE_MAX } from "@servofleet/runtime/log-queries";
import { genesisHash } from "@servofleet/runtime/log-schema";
import { uuidV7 } from "@servofleet/runtime/random-id";
import { CommitQueue, QUEUE_EVENTS_MAX, type Waiter } from "./commit-queue.ts";
import { type AppendOptions, type EventLog, LogError, type LogErrorCode, type NewEvent } from "./event-log.ts";
import { prepareEvent } from "./prepared-event.ts";
import { refusedCalls } from "./refused-calls.ts";
import { type LogHead, sealEvents } from "./seal-events.ts";

export interface MemoryEventLogOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logId?: string;
  readonly epoch?: number;
}

/** The event log for tests of what stands on it: the same laws, hashes and errors, no disk. */
export class MemoryEventLog implements EventLog {
  readonly logId: string;
  epoch: number;
  boot: string;
  /** A test sets it to see the controller without a log: appends are refused with this code. */
  trouble: LogErrorCode | null = null;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #check = eventChecker();
  readonly #queue = new CommitQueue();
  readonly #events: RecordedEvent[] = [];
  readonly #byId = new Map<string, RecordedEvent>();
  readonly #versions = new Map<string, number>();
  #head: LogHead;
  #pumping: Promise<void> | undefined;
  #closed = false;

  constructor({ clock, random, logId = "memory", epoch = 1 }: MemoryEventLogOptions) {
    this.#clock = clock;
    this.#random = random;
    this.logId = logId;
    this.epoch = epoch;
    this.boot = uuidV7(clock, random);
    this.#head = { position: 0, hash: genesisHash(logId) };
  }

  get position(): number {
    return this.#head.position;
  }

  /** Another process opens it: a higher writer epoch, as a log on a disk would count. */
  nextLife(): void {
    this.epoch += 1;
    this.boot = uuidV7(this.#clock, this.#random);
  }

  async append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<readonly RecordedEvent[]> {
    if (this.#closed) throw new LogError("log-closed", {}, "the log was closed");
    if (this.trouble) throw new LogError(this.trouble, {}, "set by a test");
    if (events.length === 0) return [];
    const prepared = events.map((event) => prepareEvent(event, this.#check));
    return new Promise((resolve, reject) => {
      const bytes = prepared.reduce((sum, { dataText }) => sum + dataText.length, 0);
      if (!this.#queue.add({ prepared, bytes, expected: options.expected, resolve, reject }, options.priority === true))
        return reject(new LogError("log-busy", { waiting: QUEUE_EVENTS_MAX }, "too much waits"));
      this.#pumping ??= this.#pump();
    });
  }

  async findById(id: string): Promise<RecordedEvent | undefined> {
    return this.#byId.get(id);
  }

  async read(afterPosition: number, limit: number): Promise<readonly RecordedEvent[]> {
    return this.#events.slice(afterPosition, afterPosition + checked(limit));
  }

  async readStream(stream: StreamName, afterVersion: number, limit: number): Promise<readonly RecordedEvent[]> {
    const found = this.#events.filter((event) => event.stream === stream && event.version > afterVersion);
    return found.slice(0, checked(limit));
  }

  async readCommand(commandId: string): Promise<readonly RecordedEvent[]> {
    return this.#events.filter((event) => event.commandId === commandId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    await Promise.resolve();
    while (!this.#queue.empty) {
      this.#commit(this.#queue.take());
      await Promise.resolve();
    }
    this.#pumping = undefined;
  }

  #commit(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) {
      const { prepared, resolve, reject } = waiter;
      const before = {
        ids: this.#byId,
        versionOf: (stream: string) => this.#versions.get(stream) ?? 0,
      };
      const refusal = refusedCalls([waiter], before).get(waiter);
      if (refusal) {
        reject(refusal);
        continue;
      }
      const sealed = sealEvents(prepared, {
        head: this.#head,
        epoch: this.epoch,
        boot: this.boot,
        wallUs: this.#clock.wallUs(),
        monoNs: String(this.#clock.monotonicNs()),
        versionOf: (stream) => this.#versions.get(stream) ?? 0,
        newId: () => uuidV7(this.#clock, this.#random),
      });
      // As a disk would give it back: nobody holds the object that was handed in.
      const recorded = sealed.events.map((event, i) => ({
        ...event,
        data: JSON.parse(prepared[i]?.dataText ?? "") as RecordedEvent["data"],
      }));
      this.#head = sealed.head;
      for (const [stream, version] of sealed.versions) this.#versions.set(stream, version);
      for (const event of recorded) {
        this.#events.push(event);
        this.#byId.set(event.id, event);
      }
      resolve(recorded);
    }
  }
}

function checked(limit: number): number {
  assert(Number.isInteger(limit) && limit >= 1 && limit <= LOG_PAGE_MAX, `limit ${limit} is not 1 to ${LOG_PAGE_MAX}`);
  return limit;
}
