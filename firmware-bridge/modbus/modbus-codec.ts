import { EventEmitter } from "node:events";
import { assert, never } from "@servofleet/runtime/assert";
import modbusSerial from "modbus-serial";
import type { LineCodec } from "../link/line-codec.ts";
import type { ModbusRequest, ReadWriteRequest } from "../link/link.ts";
import type { CodecReply } from "./codec-reply.ts";
import { type ExpectedReply, expectedReply } from "./expected-reply.ts";
import { isObjectAnswer, objectAnswer, objectFrame, objectRequest } from "./mei-objects.ts";

/** modbus-serial never deletes a transaction slot, so the ids go round in a small ring. */
const GENERATIONS = 16;
const KINCO_READ_REFUSED = 0x81;

/**
 * The port object modbus-serial writes to. Nothing is sent here: the frame is kept for the engine that owns the wire.
 * Its own ports lose track of late replies (they never change the id on RTU); here every request has its own generation.
 */
class CapturePort extends EventEmitter {
  readonly isOpen = true;
  _transactionIdRead = 1;
  _transactionIdWrite = 1;
  captured: Uint8Array | undefined;

  open(done: (error: Error | null) => void): void {
    done(null);
  }
  close(done: (error: Error | null) => void): void {
    done(null);
  }
  write(frame: Uint8Array): void {
    this.captured = frame;
  }
  nextGeneration(): void {
    this._transactionIdWrite = (this._transactionIdWrite % GENERATIONS) + 1;
  }
}

type Decoded = (error: unknown, data: { data?: readonly number[] } | undefined) => void;

interface ExceptionError {
  readonly modbusCode?: number;
}

/**
 * modbus-serial as a codec and nothing else: it makes request frames and reads answers that the framer has already
 * matched (unit, function, byte count or echo, CRC). Its time-outs, queue and ports are never used.
 */
export class ModbusCodec implements LineCodec {
  readonly bareReplies = false;
  readonly #port = new CapturePort();
  readonly #client = new modbusSerial.default(this.#port);
  #settle: ((reply: CodecReply) => void) | undefined;

  constructor() {
    this.#client.open();
  }

  /** The request in RTU form (unit, PDU, CRC). `settle` is called by `deliver`, at most once. */
  begin(unit: number, request: ModbusRequest, settle: (reply: CodecReply) => void): Uint8Array {
    this.#port.captured = undefined;
    this.#settle = settle;
    // modbus-serial knows only the identification part of function 43.
    const telegram = objectRequest(request);
    if (telegram) return objectFrame(unit, telegram);
    const done: Decoded = (error, data) => this.#decoded(error, data);
    switch (request.fn) {
      case "read":
        this.#client.writeFC3(unit, request.address, request.quantity, done);
        break;
      case "write":
        this.#client.writeFC6(unit, request.address, request.value, (error) => done(error, undefined));
        break;
      case "write-many":
        this.#client.writeFC16(unit, request.address, [...request.values], (error) => done(error, undefined));
        break;
      case "read-write":
        this.#readWrite(unit, request, done);
        break;
      default:
        never(request);
    }
    const frame = this.#port.captured as Uint8Array | undefined;
    assert(frame, "modbus-serial did not write the request at once");
    return frame;
  }

  expected(unit: number, request: ModbusRequest): ExpectedReply {
    return expectedReply(unit, request);
  }

  isException(frame: Uint8Array): boolean {
    return ((frame[1] ?? 0) & 0x80) !== 0;
  }

  /** Hands over the matched answer (RTU form). */
  deliver(frame: Uint8Array): void {
    const own = ownAnswer(frame);
    if (own) {
      const settle = this.#settle;
      this.#settle = undefined;
      settle?.(own);
      return;
    }
    this.#port._transactionIdRead = this.#port._transactionIdWrite;
    // Before the emit: the answer's callback may begin the next request at once, and must not overwrite this slot.
    this.#port.nextGeneration();
    this.#port.emit("data", Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
  }

  /** Gives the request up: nothing that arrives later can reach its slot. */
  abandon(): void {
    this.#settle = undefined;
    this.#port.nextGeneration();
  }

  #readWrite(unit: number, request: ReadWriteRequest, done: Decoded): void {
    const { address, quantity, writeAddress, values } = request;
    this.#client.writeFC23(unit, address, quantity, writeAddress, values.length, [...values], done);
  }

  #decoded(error: unknown, data: { data?: readonly number[] } | undefined): void {
    const settle = this.#settle;
    this.#settle = undefined;
    const exceptionCode = (error as ExceptionError | null)?.modbusCode;
    assert(
      !error || exceptionCode !== undefined,
      `modbus-serial refused a frame that the framer had matched: ${error}`,
    );
    if (exceptionCode !== undefined) settle?.({ type: "exception", exceptionCode });
    else if (data?.data) settle?.({ type: "registers", registers: data.data });
    else settle?.({ type: "written" });
  }
}

/** What modbus-serial cannot read: object telegrams, and Kinco's refusal of a read, which names another function. */
function ownAnswer(frame: Uint8Array): CodecReply | undefined {
  if (isObjectAnswer(frame)) return objectAnswer(frame);
  return frame[1] === KINCO_READ_REFUSED ? { type: "exception", exceptionCode: frame[2] ?? 0 } : undefined;
}
