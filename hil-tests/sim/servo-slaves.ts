import type { Clock } from "@servofleet/runtime/clock";
import type { DrivePort, Reply } from "./reply-faults.ts";
import { ServoDrive } from "./servo-drive.ts";
import type { ServoRequest, ServoWire } from "./servo-wire.ts";

const BUFFER_MAX = 4096;
const PING = 0x01;
const SYNC_READ = 0x82;
const SYNC_WRITE = 0x83;
const BULK_READ = 0x92;

/** The servos' end of a bus: cuts packets, lets each servo answer in its turn, and plays the return delay. */
export class ServoSlaves {
  readonly #ports: readonly DrivePort[];
  readonly #clock: Clock;
  readonly #wire: ServoWire;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #replyMs: number;
  #buffer = Buffer.alloc(0);

  constructor(
    ports: readonly DrivePort[],
    clock: Clock,
    wire: ServoWire,
    send: (bytes: Uint8Array) => void,
    replyMs: number,
  ) {
    this.#ports = ports;
    this.#clock = clock;
    this.#wire = wire;
    this.#send = send;
    this.#replyMs = replyMs;
  }

  /** Bytes from the master. */
  receive(bytes: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]).subarray(-BUFFER_MAX);
    for (let found = this.#wire.cut(this.#buffer); found; found = this.#wire.cut(this.#buffer)) {
      this.#buffer = this.#buffer.subarray(found.taken);
      if (found.request) this.#serve(found.request);
    }
  }

  /** Forgets half a packet; for an unplugged line. */
  close(): void {
    this.#buffer = Buffer.alloc(0);
  }

  #serve(request: ServoRequest): void {
    const nowNs = this.#clock.monotonicNs();
    for (const { drive } of this.#ports) {
      drive.advance(nowNs);
      if (drive instanceof ServoDrive && drive.answering) drive.heard();
    }
    const body = Buffer.concat([Buffer.of(request.instruction), request.parameters]);
    if (request.id !== this.#wire.broadcast) {
      this.#post(this.#port(request.id)?.answer(body, nowNs));
      return;
    }
    if (request.instruction === SYNC_READ || request.instruction === BULK_READ) this.#inTurn(request, nowNs);
    else if (request.instruction === SYNC_WRITE) this.#syncWrite(request.parameters, nowNs);
    else for (const port of this.#ports) this.#broadcast(port, body, nowNs);
  }

  /** Nobody answers a broadcast but a ping; an action is taken by all at once. */
  #broadcast(port: DrivePort, body: Buffer, nowNs: bigint): void {
    const reply = port.answer(body, nowNs);
    if (body[0] === PING) this.#post(reply);
  }

  /** Answers come in the order of the request; a servo that is missing leaves its place empty. */
  #inTurn({ instruction, parameters }: ServoRequest, nowNs: bigint): void {
    const asked = instruction === SYNC_READ ? this.#syncRead(parameters) : bulkRead(parameters);
    for (const { id, body } of asked) this.#post(this.#port(id)?.answer(body, nowNs));
  }

  #syncRead(parameters: Buffer): { id: number; body: Buffer }[] {
    const range = 2 * this.#wire.addressBytes;
    const body = Buffer.concat([Buffer.of(0x02), parameters.subarray(0, range)]);
    return [...parameters.subarray(range)].map((id) => ({ id, body }));
  }

  #syncWrite(parameters: Buffer, nowNs: bigint): void {
    const width = this.#wire.addressBytes;
    const range = 2 * width;
    const address = parameters.subarray(0, width);
    const count = parameters.readUIntLE(width, width);
    for (let at = range; at + count < parameters.length; at += 1 + count) {
      const data = parameters.subarray(at + 1, at + 1 + count);
      this.#port(parameters[at] ?? 0)?.answer(Buffer.concat([Buffer.of(0x03), address, data]), nowNs);
    }
  }

  #post(reply: Reply | undefined): void {
    if (!reply) return;
    const frame = Buffer.from(this.#wire.status(reply.unit, reply.pdu[0] ?? 0, reply.pdu.subarray(1)));
    if (reply.wrongCrc) frame[frame.length - 1] = (frame.at(-1) ?? 0) ^ 0x55;
    const bytes = frame.subarray(0, Math.max(0, frame.length - reply.cut));
    const delayMs = this.#replyMs + reply.delayMs;
    if (delayMs <= 0) this.#send(bytes);
    else this.#clock.after(delayMs, () => this.#send(bytes), true);
  }

  #port(id: number): DrivePort | undefined {
    return this.#ports.find((port) => port.drive.unit === id);
  }
}

function bulkRead(parameters: Buffer): { id: number; body: Buffer }[] {
  const asked: { id: number; body: Buffer }[] = [];
  for (let at = 0; at + 5 <= parameters.length; at += 5) {
    const range = parameters.subarray(at + 1, at + 5);
    asked.push({ id: parameters[at] ?? 0, body: Buffer.concat([Buffer.of(0x02), range]) });
  }
  return asked;
}
