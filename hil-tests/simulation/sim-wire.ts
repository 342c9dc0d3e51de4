import type { Wire, WireHandlers, WireSession } from "@servofleet/firmware-bridge/link/wire";
import type { Random } from "@servofleet/runtime/clock";
import type { SimLife } from "./sim-life.ts";
import type { SimTime } from "./sim-time.ts";

/** What happens to frames on the way, as shares of all frames of their direction (0 to 1). */
export interface WireFaults {
  lost: number;
  corrupted: number;
  cut: number;
  late: number;
}

export const NO_WIRE_FAULTS: WireFaults = { lost: 0, corrupted: 0, cut: 0, late: 0 };

/** What a simulated line does with bytes. */
export interface LineEnd {
  /** Ms that so many bytes take. */
  readonly byteMs: number;
  /** Serial: one holder at a time, and damaged bytes arrive. A socket's bytes arrive whole or not at all. */
  readonly serial: boolean;
  /** A session has begun; what is returned takes its bytes, once they have crossed the line. */
  connect(session: { send(bytes: Uint8Array): void; hangUp(): void }): (bytes: Buffer, writtenMs: number) => void;
  /** The bytes of a request have begun to leave. */
  wrote(bytes: Uint8Array): void;
}

/** Which faults have met a frame, for the states that a run has reached. */
export interface WireTally {
  lost: number;
  corrupted: number;
  cut: number;
  late: number;
}

const LATE_MS = 60;
const OPEN_MS = 1;

/** A line in memory: the same bytes as on a real one, with the faults that the seed gives it. */
export class SimWire {
  readonly faults: WireFaults = { ...NO_WIRE_FAULTS };
  readonly tally: WireTally = { lost: 0, corrupted: 0, cut: 0, late: 0 };
  plugged = true;
  readonly #time: SimTime;
  readonly #random: Random;
  readonly #end: LineEnd;
  #holder: MemorySession | undefined;

  constructor(time: SimTime, random: Random, end: LineEnd) {
    this.#time = time;
    this.#random = random;
    this.#end = end;
  }

  /** The wire as a link of that process opens it. */
  for(life: SimLife): Wire {
    return { open: (handlers) => this.#open(life, handlers) };
  }

  unplug(): void {
    this.plugged = false;
    this.reset();
  }

  plug(): void {
    this.plugged = true;
  }

  /** Ends the open session, as a reset connection or an adapter that drops off the bus. */
  reset(): void {
    this.#holder?.down("the line was reset");
  }

  /** Bytes of the master on their way to the drives. */
  send(session: MemorySession, bytes: Uint8Array): number {
    const writtenMs = this.#time.nowMs;
    this.#end.wrote(bytes);
    const onLine = this.#trouble(bytes);
    if (onLine) this.#time.schedule(this.#crossMs(bytes), () => session.arrive(Buffer.from(onLine), writtenMs));
    return bytes.length;
  }

  /** Bytes of a drive on their way back; a serial line has no sessions, so whoever holds it then hears them. */
  answer(session: MemorySession, bytes: Uint8Array): void {
    const onLine = this.#trouble(bytes);
    if (!onLine) return;
    const late = this.#random.next() < this.faults.late;
    if (late) this.tally.late++;
    const delayMs = late ? LATE_MS * (0.3 + 3 * this.#random.next()) : 0;
    this.#time.schedule(delayMs, () => (this.#end.serial ? this.#holder : session)?.hear(onLine));
  }

  released(session: MemorySession): void {
    if (this.#holder === session) this.#holder = undefined;
  }

  #open(life: SimLife, handlers: WireHandlers): WireSession {
    const held = this.#end.serial && this.#holder !== undefined;
    const session = new MemorySession(this, life, handlers, (own) =>
      this.#end.connect({ send: (bytes) => this.answer(own, bytes), hangUp: () => own.down("hung up") }),
    );
    if (!held && life.alive) this.#holder = session;
    life.after(OPEN_MS, () => {
      if (held) session.down("the port is held by another process");
      else if (!this.plugged) session.down("nobody answers");
      else session.up();
    });
    return session;
  }

  #crossMs = (bytes: Uint8Array): number => Math.max(0.05, bytes.length * this.#end.byteMs);

  /** The frame as it comes out; undefined when it does not. */
  #trouble(bytes: Uint8Array): Uint8Array | undefined {
    const { faults, tally } = this;
    const draw = this.#random.next();
    if (draw < faults.lost) {
      tally.lost++;
      return undefined;
    }
    if (!this.#end.serial) return bytes;
    if (draw < faults.lost + faults.corrupted) {
      tally.corrupted++;
      return this.#flipped(bytes);
    }
    if (draw < faults.lost + faults.corrupted + faults.cut) {
      tally.cut++;
      return bytes.slice(0, 1 + Math.floor(this.#random.next() * (bytes.length - 1)));
    }
    return bytes;
  }

  /** One to three bits: as many as CRC-16 finds for certain at these lengths. */
  #flipped(bytes: Uint8Array): Uint8Array {
    const turned = bytes.slice();
    const bits = 1 + Math.floor(this.#random.next() * 3);
    for (let n = 0; n < bits; n++) {
      const at = Math.floor(this.#random.next() * turned.length * 8);
      turned[at >> 3] = (turned[at >> 3] ?? 0) ^ (1 << (at & 7));
    }
    return turned;
  }
}

/** One opening of the line by one process. */
class MemorySession implements WireSession {
  readonly closed: Promise<void> = Promise.resolve();
  readonly #wire: SimWire;
  readonly #life: SimLife;
  readonly #handlers: WireHandlers;
  readonly #connect: (own: MemorySession) => (bytes: Buffer, writtenMs: number) => void;
  #toDrives: ((bytes: Buffer, writtenMs: number) => void) | undefined;
  #ended = false;

  constructor(
    wire: SimWire,
    life: SimLife,
    handlers: WireHandlers,
    connect: (own: MemorySession) => (bytes: Buffer, writtenMs: number) => void,
  ) {
    this.#wire = wire;
    this.#life = life;
    this.#handlers = handlers;
    this.#connect = connect;
    // The kernel closes what a dead process held.
    life.atEnd(() => this.#release());
  }

  up(): void {
    if (this.#ended) return;
    this.#toDrives = this.#connect(this);
    this.#handlers.onUp();
  }

  write(bytes: Uint8Array): number {
    if (!this.#toDrives || this.#ended) return 0;
    return this.#life.does("wire", () => this.#wire.send(this, bytes.slice())) ?? 0;
  }

  drain(): Uint8Array {
    return new Uint8Array(0);
  }

  close(reason: string): void {
    this.down(reason);
  }

  down(reason: string): void {
    if (this.#ended) return;
    this.#release();
    if (this.#life.alive) this.#handlers.onDown(reason);
  }

  /** What has crossed the line is with the drives, also when its sender has died meanwhile. */
  arrive(bytes: Buffer, writtenMs: number): void {
    this.#toDrives?.(bytes, writtenMs);
  }

  hear(bytes: Uint8Array): void {
    if (!this.#ended && this.#life.alive) this.#handlers.onBytes(bytes);
  }

  #release(): void {
    this.#ended = true;
    this.#wire.released(this);
  }
}
