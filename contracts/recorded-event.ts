import type { DomainEvent, EventType } from "./event.ts";

/** One row of the log (columns of the event log table), as readers get it. */
export interface RecordedEvent {
  /** 1, 2, 3 ... without gap; a consumer asserts `position === checkpoint + 1`. */
  readonly position: number;
  readonly stream: string;
  /** 1, 2, 3 ... per stream. */
  readonly version: number;
  /** UUIDv7, or the command id for the event that decided a command. */
  readonly id: string;
  readonly type: EventType;
  readonly schema: number;
  /** UTC microseconds when recorded: data, never an order. */
  readonly wallUs: number;
  /** Monotonic nanoseconds; comparable only inside one `boot`. */
  readonly monoNs: string;
  readonly boot: string;
  readonly epoch: number;
  readonly commandId: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly actor: string | null;
  readonly traceparent: string | null;
  readonly data: DomainEvent["data"];
  /** sha256 over the previous hash and the canonical row, hex. */
  readonly hash: string;
}

/** A recorded event whose `data` is known by its `type` (a union, so that a switch narrows both). */
export type TypedEvent = {
  [T in EventType]: Omit<RecordedEvent, "type" | "data"> & Extract<DomainEvent, { type: T }>;
}[EventType];
/** Narrowing view; the log has validated the data against the type's schema at append and at the reading edge. */
export const typed = (event: RecordedEvent): TypedEvent => event as TypedEvent;
