import type { Frame, LinkId, LinkStats } from "@servofleet/contracts";
import type { ObjectPlace } from "../modbus/mei-objects.ts";

/** Priority classes of one line, highest first. Inside a class: earliest deadline first, fair between units. */
export const TRANSACTION_CLASSES = ["stop", "command", "confirm", "poll", "probe"] as const;
export type TransactionClass = (typeof TRANSACTION_CLASSES)[number];

/**
 * What is asked of one unit; register numbers are protocol addresses (zero based). With `object` it goes as an object
 * telegram of function 43: the address is an index, the quantity counts words, the value is the object's raw bits.
 */
export type ModbusRequest =
  | ReadRequest
  | { readonly fn: "write"; readonly address: number; readonly value: number; readonly object?: ObjectPlace }
  | WriteManyRequest
  | ReadWriteRequest;

/** With `parts` it asks several units at once, and the values come in their order (servo buses, sync and bulk read). */
export interface ReadRequest {
  readonly fn: "read";
  readonly address: number;
  readonly quantity: number;
  readonly object?: ObjectPlace;
  readonly parts?: readonly UnitPart[];
}

/** With `parts` it writes to several units at once, and is answered by none (servo buses, sync write). */
export interface WriteManyRequest {
  readonly fn: "write-many";
  readonly address: number;
  readonly values: readonly number[];
  readonly parts?: readonly UnitPart[];
}

/** The share of one unit in a request to several. */
export interface UnitPart {
  readonly unit: number;
  readonly address: number;
  readonly quantity: number;
}

/** Function 23: the unit writes first, then reads (`address`, `quantity`), in one transaction. Only where the profile names 23. */
export interface ReadWriteRequest {
  readonly fn: "read-write";
  readonly address: number;
  readonly quantity: number;
  readonly writeAddress: number;
  readonly values: readonly number[];
}

export interface TransactionOptions {
  readonly class: TransactionClass;
  /** Last moment for the first byte, monotonic ms; after it the transaction fails with `expired`, nothing was sent. */
  readonly notAfterMs?: number;
  /**
   * Asked right before the first byte; a reason (not undefined) refuses: nothing is sent and the transaction fails with
   * `withdrawn`. This is where stop generation, epoch and deadline are checked for the last time.
   */
  readonly beforeFirstByte?: () => string | undefined;
  /**
   * For a write to the broadcast unit: how long every drive gets for it before the line speaks again, ms; default 100,
   * at most the link's `stopWaitMaxMs`.
   */
  readonly broadcastDelayMs?: number;
  /**
   * The write may leave in one frame with writes to other units that wait at the same moment, where the drives' profiles
   * name it. Nobody answers such a frame: it ends `unanswered`, and reading has to confirm it.
   */
  readonly mayJoin?: boolean;
  /** Called when the first byte is in the kernel. */
  readonly onSent?: (sent: { readonly monotonicMs: number; readonly wallUs: number; readonly frame: Frame }) => void;
}

export interface TransactionDone {
  /** Registers read; empty for writes. */
  readonly registers: readonly number[];
  readonly frames: readonly Frame[];
  readonly startedMs: number;
  readonly endedMs: number;
  /** Wall time of the middle of the transaction, microseconds: the time of the values read. */
  readonly middleUs: number;
  /** A write that left in one frame with others: it is out, and no drive has confirmed it. */
  readonly unanswered?: boolean;
}

/**
 * - `no-reply`: time-out; a write may or may not have been applied
 * - `exception`: the unit refused (facts.exceptionCode); nothing was applied
 * - `expired`, `withdrawn`, `queue-full`, `link-down`, `breaker-open`, `closed`: nothing was sent
 * - `link-lost`: the link broke with the request under way; a write may or may not have been applied
 */
export type LinkErrorCode =
  | "no-reply"
  | "exception"
  | "expired"
  | "withdrawn"
  | "queue-full"
  | "link-down"
  | "breaker-open"
  | "link-lost"
  | "closed";

/** A failed transaction. `sent` says whether bytes may have reached the drive: then a write's outcome is unknown (except `exception`). */
export class LinkError extends Error {
  override readonly name = "LinkError";
  readonly code: LinkErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  readonly sent: boolean;
  readonly frames: readonly Frame[];
  constructor(
    code: LinkErrorCode,
    facts: Readonly<Record<string, unknown>>,
    hint: string,
    sent = false,
    frames: readonly Frame[] = [],
  ) {
    super(`${code}: ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
    this.sent = sent;
    this.frames = frames;
  }
}

/** `downReason` of a link that has not been tried since it was made. */
export const NOT_OPENED_YET = "not opened yet";

/** Unit 0 of a serial line: a write to it reaches every drive, is answered by none, and is done when it is out. */
export const BROADCAST_DELAY_MS = 100;

/** One cable or socket with its drives. One transaction in flight; a late reply is never taken for the next one's answer. */
export interface Link {
  readonly id: LinkId;
  readonly up: boolean;
  /** Why it is down, in words; null while up. */
  readonly downReason: string | null;
  /** Queues one transaction. Rejects with LinkError only. Every queue is bounded. */
  transact(unit: number, request: ModbusRequest, options: TransactionOptions): Promise<TransactionDone>;
  /** Fails every queued (not yet sent) transaction of the unit whose class is not `stop` with `withdrawn`. */
  withdraw(unit: number, reason: string): void;
  /** Whether the unit answers: `open` units get only stops, commands (once) and probes. */
  breaker(unit: number): "closed" | "open" | "half-open";
  /** Bus time that the request would take, microseconds: wire, silences, and the turn-around the unit has shown. */
  price(unit: number, request: ModbusRequest): number;
  /** The period that a poll pass over the unit may have now, ms: `wantedMs`, or longer while the line is full. Once per pass. */
  pollPeriodMs(unit: number, wantedMs: number, isFast: boolean): number;
  onState(listener: (up: boolean, reason: string | null) => void): () => void;
  /** Figures since the last call to `stats`, errors since the start. */
  stats(): LinkStats;
  /** The last frames of the line, newest last, at most FRAME_RING_MAX. */
  frames(): readonly (Frame & { readonly unit: number | null })[];
  open(): void;
  close(): Promise<void>;
}
export const FRAME_RING_MAX = 2048;
