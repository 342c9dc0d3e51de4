import type { DomainEvent, RecordedEvent, StreamName } from "@servofleet/contracts";
import type { LogSnapshots } from "./log-snapshots.ts";

/** An event on its way into the log. The writer adds position, version, times, boot, epoch and hash. */
export interface NewEvent {
  readonly stream: StreamName;
  readonly event: DomainEvent;
  /** Given for the event that decides a command (= command id); else the writer makes a UUIDv7. */
  readonly id?: string;
  readonly commandId?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly actor?: string;
  readonly traceparent?: string;
}

/** `log-full`: no space, may be tried again; `log-poisoned`: I/O error, only a restart helps; `log-busy`: queue full; `log-closed`. */
export type LogErrorCode =
  | "log-full"
  | "log-poisoned"
  | "log-busy"
  | "log-closed"
  | "duplicate-id"
  | "version-conflict";

/** Nothing of the batch is in the log, except for `log-poisoned`: then it may be (retry with the same ids after the restart). */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: LogErrorCode, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}

/** The version a stream must have for a call to be written: exactly this one, no event at all, any event, or whatever it is. */
export type ExpectedVersion = number | "none" | "exists" | "any";

export interface AppendOptions {
  /** By stream, several at once; a stream that is not where it should be rejects this call alone (`version-conflict`). */
  readonly expected?: Readonly<Partial<Record<StreamName, ExpectedVersion>>>;
  /** In front of everything that waits: for stop events, which must not queue behind motion. */
  readonly priority?: boolean;
}

/** The writer's side of the log: one writer process (lock and epoch), group commit, gap-free positions. */
export interface EventLog {
  readonly logId: string;
  /** Writer epoch of this process: the fencing token of every order. */
  readonly epoch: number;
  readonly boot: string;
  /** Newest position on disk. */
  readonly position: number;
  /** Why motion must be refused (`log-full`, `log-poisoned`), or null. Stops work anyway. */
  readonly trouble: LogErrorCode | null;
  /**
   * Appends the batch in one commit, in order, after fsync; several calls made meanwhile share a commit, their order is the
   * order of the calls (priority calls first). Resolves with the recorded events. Rejects with LogError; `duplicate-id`
   * and `version-conflict` reject this call alone. Data that its schema refuses is our own bug: AssertionFailed.
   */
  append(events: readonly NewEvent[], options?: AppendOptions): Promise<readonly RecordedEvent[]>;
  /** The event with this id, or undefined (idempotency: the id of a decided command). */
  findById(id: string): Promise<RecordedEvent | undefined>;
  /** Events after `position`, ascending, at most `limit` (<= 1000). */
  read(afterPosition: number, limit: number): Promise<readonly RecordedEvent[]>;
  readStream(stream: StreamName, afterVersion: number, limit: number): Promise<readonly RecordedEvent[]>;
  readCommand(commandId: string): Promise<readonly RecordedEvent[]>;
  /** Where a fold of this log is kept for the next start; absent for a log that needs none. */
  readonly snapshots?: LogSnapshots;
  close(): Promise<void>;
}
