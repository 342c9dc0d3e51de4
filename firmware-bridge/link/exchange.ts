import type { Frame } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { CodecReply } from "../modbus/codec-reply.ts";
import type { Finding, Framer } from "../modbus/framer.ts";
import { type LineCost, replyMicros, requestMicros } from "./bus-cost.ts";
import { type FrameRing, frameOf } from "./frame-ring.ts";
import type { LineCodec } from "./line-codec.ts";
import type { LineTally } from "./line-tally.ts";
import type { ModbusRequest } from "./link.ts";
import { waitUntil } from "./wait-until.ts";
import type { WireSession } from "./wire.ts";

/** One request to be put on the wire. */
export interface Question {
  readonly unit: number;
  readonly request: ModbusRequest;
  /** How long to wait beyond the wire time of request and reply, ms. */
  readonly waitMs: number;
  /** An exception could be a late one: it is not taken for the answer. */
  readonly distrustExceptions: boolean;
  /** A broadcast: nobody answers; the line rests so long behind it, ms. */
  readonly broadcastMs?: number | undefined;
}

/** The first byte is in the kernel. */
export interface Sent {
  readonly monotonicMs: number;
  readonly wallUs: number;
  readonly frame: Frame;
}

/** How a request ended; `reply` is undefined after a time-out. */
export interface Outcome {
  readonly reply: CodecReply | undefined;
  readonly rxFrame: Frame | undefined;
  readonly startedMs: number;
  readonly endedMs: number;
  /** Time of the drive beyond all wire times and its silence, ms; below 0 when it is quicker than the silence. */
  readonly turnaroundMs: number;
  readonly middleUs: number;
  readonly crcErrors: number;
  /** After a time-out: an exception came that may belong to an older request. */
  readonly doubtfulException: boolean;
}

interface Flight {
  readonly question: Question;
  readonly adu: Uint8Array;
  readonly startedMs: number;
  readonly replyEndMs: number;
  readonly done: (outcome: Outcome) => void;
  firstByteUs: number | undefined;
  crcErrors: number;
  doubtfulException: boolean;
  cancelDeadline: () => void;
}

const nothing = (): void => undefined;

export interface ExchangeParts {
  readonly clock: Clock;
  readonly framer: Framer;
  readonly codec: LineCodec;
  readonly cost: LineCost;
  readonly ring: FrameRing;
  readonly tally: LineTally;
  /** Answers nobody waits for came from these units; returns how many of them are late. */
  readonly lateOf: (units: readonly number[]) => number;
  /** The byte stream cannot be trusted: the session has to end. */
  readonly onBroken: (reason: string) => void;
}

/** One request and its answer on the wire, one at a time: bytes, frames, time-outs; no queue and no policy. */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #codec: LineCodec;
  #flight: Flight | undefined;
  /** Monotonic ms of the last byte seen, in whatever direction. */
  lastByteMs = 0;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#codec = parts.codec;
  }

  get busy(): boolean {
    return this.#flight !== undefined;
  }

  /** Writes the request; undefined when the kernel did not take it whole (then the session has to end). */
  ask(session: WireSession, question: Question, done: (outcome: Outcome) => void): Sent | undefined {
    const { clock, cost, ring, framer } = this.#parts;
    const { unit, request } = question;
    const adu = this.#codec.begin(unit, request, (reply) => this.#finish(reply));
    const { wire, findings } = framer.begin(adu, this.#codec.expected(unit, request));
    this.#sort(findings);
    const startedMs = clock.monotonicMs();
    const wallUs = clock.wallUs();
    const taken = session.write(wire);
    if (taken > 0) ring.add({ direction: "tx", atUs: wallUs, bytes: wire.subarray(0, taken), unit });
    if (taken < wire.length) {
      this.#codec.abandon();
      framer.end();
      return taken === 0 ? undefined : { monotonicMs: startedMs, wallUs, frame: frameOf("tx", wallUs, wire) };
    }
    const wireEndMs = startedMs + requestMicros(request, cost) / 1000;
    const replyEndMs = wireEndMs + (cost.silenceUs + replyMicros(request, cost)) / 1000;
    this.lastByteMs = wireEndMs;
    const flight: Flight = {
      question,
      adu,
      startedMs,
      replyEndMs,
      done,
      firstByteUs: undefined,
      crcErrors: 0,
      doubtfulException: false,
      cancelDeadline: nothing,
    };
    this.#flight = flight;
    const { broadcastMs, waitMs } = question;
    flight.cancelDeadline =
      broadcastMs === undefined
        ? waitUntil(clock, replyEndMs + waitMs, () => this.#deadline(flight))
        : waitUntil(clock, wireEndMs + broadcastMs, () => this.#told(flight));
    return { monotonicMs: startedMs, wallUs, frame: frameOf("tx", wallUs, wire) };
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { clock, framer } = this.#parts;
    this.lastByteMs = clock.monotonicMs();
    if (this.#flight) this.#flight.firstByteUs ??= clock.wallUs();
    this.#sort(framer.push(bytes));
  }

  /** Counts what came while nobody was waiting. */
  collect(): void {
    if (!this.#flight) this.#sort(this.#parts.framer.end());
  }

  /** The session is gone: forgets the request under way without an outcome. */
  reset(): void {
    this.#flight?.cancelDeadline();
    this.#flight = undefined;
    this.#codec.abandon();
    this.#parts.framer.reset();
  }

  #sort(findings: readonly Finding[]): void {
    const { tally, ring, clock } = this.#parts;
    for (const finding of findings) {
      switch (finding.type) {
        case "reply":
          this.#answered(finding.adu, finding.wire);
          break;
        case "stray": {
          const late = this.#parts.lateOf(finding.units);
          tally.errors.late += late;
          tally.errors.mismatch += finding.units.length - late + (finding.noiseBytes > 0 ? 1 : 0);
          tally.noiseBytes += finding.noiseBytes;
          ring.add({ direction: "rx", atUs: clock.wallUs(), bytes: finding.wire, unit: null });
          break;
        }
        case "crc":
          tally.errors.crc++;
          if (this.#flight) this.#flight.crcErrors++;
          break;
        case "broken":
          tally.errors.mismatch++;
          this.#parts.onBroken(finding.reason);
          break;
      }
    }
  }

  #answered(adu: Uint8Array, wire: Uint8Array): void {
    const flight = this.#flight;
    if (!flight) return;
    const { ring, clock, framer } = this.#parts;
    const { unit, request, distrustExceptions } = flight.question;
    ring.add({ direction: "rx", atUs: flight.firstByteUs ?? clock.wallUs(), bytes: wire, unit });
    if (distrustExceptions && this.#codec.isException(adu)) {
      flight.doubtfulException = true;
      this.#sort(framer.begin(flight.adu, this.#codec.expected(unit, request)).findings);
      return;
    }
    this.#codec.deliver(adu);
    flight.done(this.#outcome(flight, this.#reply, frameOf("rx", flight.firstByteUs ?? clock.wallUs(), wire)));
  }

  #reply: CodecReply | undefined;

  /** Called by the codec inside `deliver`. */
  #finish(reply: CodecReply): void {
    this.#reply = reply;
    this.#flight?.cancelDeadline();
    this.#flight = undefined;
  }

  #deadline(flight: Flight): void {
    const { clock } = this.#parts;
    // A busy loop may have let the timer pass before bytes that are there already: they are read first.
    clock.soon(() => clock.soon(() => this.#giveUp(flight)));
  }

  /** Everybody has had the time a broadcast leaves them. */
  #told(flight: Flight): void {
    this.#flight = undefined;
    this.#codec.abandon();
    this.#sort(this.#parts.framer.end());
    flight.done(this.#outcome(flight, { type: "written" }, undefined));
  }

  #giveUp(flight: Flight): void {
    if (this.#flight !== flight) return;
    this.#flight = undefined;
    this.#codec.abandon();
    this.#sort(this.#parts.framer.end());
    this.#parts.tally.errors.timeout++;
    flight.done(this.#outcome(flight, undefined, undefined));
  }

  #outcome(flight: Flight, reply: CodecReply | undefined, rxFrame: Frame | undefined): Outcome {
    const nowMs = this.#parts.clock.monotonicMs();
    // An answer ends with its last byte, not with our reading of it.
    const endedMs = reply ? this.lastByteMs : nowMs;
    return {
      reply,
      rxFrame,
      startedMs: flight.startedMs,
      endedMs,
      turnaroundMs: endedMs - flight.replyEndMs,
      middleUs: Math.round(this.#parts.clock.wallUs() - (nowMs - (flight.startedMs + endedMs) / 2) * 1000),
      crcErrors: flight.crcErrors,
      doubtfulException: flight.doubtfulException,
    };
  }
}
