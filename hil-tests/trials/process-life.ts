import type { RecordedEvent } from "@servofleet/contracts";
import { type AppendOptions, type EventLog, LogError, type NewEvent } from "@servofleet/controller/event-log/event-log";
import type { MemoryEventLog } from "@servofleet/controller/event-log/memory-event-log";
import type { Wire, WireHandlers } from "@servofleet/firmware-bridge/link/wire";
import { type Clock, sleep, type Timer } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";

/** A process inside a process: once killed, no timer, message, byte or append of it does anything any more. */
export class ProcessLife {
  readonly clock: Clock;
  readonly #base: Clock;
  #dead = false;

  constructor(base: Clock) {
    this.#base = base;
    const own = (fn: () => void) => () => this.#dead || fn();
    const timer = (made: Timer): Timer => made;
    this.clock = {
      monotonicMs: () => base.monotonicMs(),
      monotonicNs: () => base.monotonicNs(),
      wallUs: () => base.wallUs(),
      after: (ms, fn) => timer(base.after(ms, own(fn))),
      every: (ms, fn) => timer(base.every(ms, own(fn))),
      soon: (fn) => base.soon(own(fn)),
    };
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** As SIGKILL. */
  kill(): void {
    this.#dead = true;
  }

  /** Its end of a bus: deaf and dumb once it is dead. */
  bus(end: MessageBus): MessageBus {
    const alive = () => !this.#dead;
    return {
      get connected() {
        return alive() && end.connected;
      },
      publish: (channel, message) => alive() && end.publish(channel, message),
      subscribe: (channel, handler) => end.subscribe(channel, (message) => void (alive() && handler(message))),
      onConnection: (listener) => end.onConnection((connected) => void (alive() && listener(connected))),
      close: async () => undefined,
    };
  }

  /** Its descriptor of a wire. Bytes that were in the kernel before its death go out all the same. */
  wire(wire: Wire): Wire {
    return {
      open: (handlers) => {
        const session = wire.open(this.#guarded(handlers));
        return {
          write: (bytes) => (this.#dead ? 0 : session.write(bytes)),
          drain: () => (this.#dead ? new Uint8Array(0) : session.drain()),
          close: (reason) => void (this.#dead || session.close(reason)),
          closed: session.closed,
        };
      },
    };
  }

  /** Its handle of the log, with the time of a disk: what it had not handed to the disk when it died is lost. */
  log(log: MemoryEventLog, fsyncMs: number): EventLog {
    log.nextLife();
    const { epoch, boot } = log;
    return {
      logId: log.logId,
      epoch,
      boot,
      get position() {
        return log.position;
      },
      get trouble() {
        return log.trouble;
      },
      append: (events, options) => this.#append(log, events, options, fsyncMs),
      findById: (id) => log.findById(id),
      read: (after, limit) => log.read(after, limit),
      readStream: (stream, after, limit) => log.readStream(stream, after, limit),
      readCommand: (id) => log.readCommand(id),
      close: async () => undefined,
    };
  }

  async #append(
    log: MemoryEventLog,
    events: readonly NewEvent[],
    options: AppendOptions | undefined,
    fsyncMs: number,
  ): Promise<readonly RecordedEvent[]> {
    const gone = () => new LogError("log-closed", {}, "the process has died");
    await sleep(this.#base, fsyncMs / 2);
    if (this.#dead) throw gone();
    const recorded = await log.append(events, options);
    await sleep(this.#base, fsyncMs / 2);
    if (this.#dead) throw gone();
    return recorded;
  }

  #guarded({ onUp, onBytes, onDown }: WireHandlers): WireHandlers {
    const alive = () => !this.#dead;
    return {
      onUp: () => void (alive() && onUp()),
      onBytes: (bytes) => void (alive() && onBytes(bytes)),
      onDown: (reason) => void (alive() && onDown(reason)),
    };
  }
}
