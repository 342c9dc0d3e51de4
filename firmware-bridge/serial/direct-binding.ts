import { readSync, writeSync } from "node:fs";
import { assert } from "@servofleet/runtime/assert";
import { SerialPort } from "serialport";

/** The parts of serialport's Linux port that we build on: its descriptor (O_NONBLOCK) and its poller. */
interface NativePort {
  readonly fd: number | null;
  readonly isOpen: boolean;
  readonly openOptions: Record<string, unknown>;
  readonly poller: { once(event: "readable" | "writable", listener: (error: Error | null) => void): unknown };
  close(): Promise<void>;
  update(options: unknown): Promise<void>;
  set(options: unknown): Promise<void>;
  get(): Promise<unknown>;
  getBaudRate(): Promise<unknown>;
  flush(): Promise<void>;
  drain(): Promise<void>;
}

/** More than a line brings within one turn of the loop; what is left is read in the next. */
const PIECE_BYTES = 1024;

const canceled = () => Object.assign(new Error("port is closed"), { canceled: true });
const isCode = (error: unknown, code: string) => (error as NodeJS.ErrnoException).code === code;
const wouldBlock = (error: unknown) => isCode(error, "EAGAIN") || isCode(error, "EINTR");

/**
 * A serialport binding that reads and writes the descriptor itself and only waits with serialport's poller. The stock
 * binding takes three trips through libuv's thread pool per transaction, and waits there behind disk and hashing.
 */
export class DirectPort {
  readonly #native: NativePort;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  /**
   * With a listener what comes in never enters the stream, which would cost two promises and a copy per piece; the
   * stream still hears of the end.
   */
  onBytes: ((bytes: Uint8Array) => void) | undefined;
  /** While a piece is handed over: nothing was left behind it. */
  isDrained = false;

  constructor(native: NativePort) {
    this.#native = native;
  }

  get isOpen(): boolean {
    return this.#native.isOpen;
  }
  get openOptions(): Record<string, unknown> {
    return this.#native.openOptions;
  }

  /** Writes until the kernel takes no more; returns how many bytes it took. Throws what the descriptor throws. */
  writeNow(bytes: Uint8Array, from = 0): number {
    let written = from;
    while (written < bytes.length) {
      try {
        written += writeSync(this.#descriptor(), bytes, written, bytes.length - written);
      } catch (error) {
        // What is out is out: an error after a part shows itself to the reader.
        if (!wouldBlock(error) && written === from) throw error;
        break;
      }
    }
    return written - from;
  }

  /** Reads what is there: 0 when nothing is. A hang-up is an error. */
  readNow(into: Uint8Array, offset: number, length: number): number {
    const { stackTraceLimit } = Error;
    // "Nothing there" is an exception, and most of its price is a trace that nobody reads.
    Error.stackTraceLimit = 0;
    try {
      const count = readSync(this.#descriptor(), into, offset, length, null);
      if (count === 0) throw Object.assign(new Error("the serial device hung up"), { disconnect: true });
      return count;
    } catch (error) {
      if (wouldBlock(error)) return 0;
      throw error;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let written = this.writeNow(bytes); written < bytes.length; written += this.writeNow(bytes, written)) {
      await this.#event("writable");
    }
  }

  async read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
    const { onBytes } = this;
    if (onBytes) return this.#listen(onBytes);
    for (;;) {
      await this.#event("readable");
      const bytesRead = this.readNow(buffer, offset, length);
      if (bytesRead > 0) return { buffer, bytesRead };
    }
  }

  /** Ptys have no modem lines (ENOTTY): a line that works without them is not given up for them. */
  async set(options: unknown): Promise<void> {
    await this.#native.set(options).catch(() => undefined);
  }

  close = (): Promise<void> => this.#native.close();
  update = (options: unknown): Promise<void> => this.#native.update(options);
  get = (): Promise<unknown> => this.#native.get();
  getBaudRate = (): Promise<unknown> => this.#native.getBaudRate();
  flush = (): Promise<void> => this.#native.flush();
  drain = (): Promise<void> => this.#native.drain();

  #descriptor(): number {
    const { fd } = this.#native;
    if (fd === null) throw canceled();
    return fd;
  }

  /** Hands every piece over in the turn that brought it; rejects when the port ends. */
  #listen(onBytes: (bytes: Uint8Array) => void): Promise<never> {
    return new Promise((_resolve, reject) => {
      const listen = (): void => {
        if (this.#native.fd === null) reject(canceled());
        else this.#native.poller.once("readable", heard);
      };
      const heard = (failure: Error | null): void => {
        try {
          if (failure) throw failure;
          const count = this.readNow(this.#piece, 0, PIECE_BYTES);
          this.isDrained = count < PIECE_BYTES;
          if (count > 0) handOver(onBytes, this.#piece.slice(0, count));
          this.isDrained = false;
        } catch (error) {
          reject(error);
          return;
        }
        listen();
      };
      listen();
    });
  }

  #event(name: "readable" | "writable"): Promise<void> {
    this.#descriptor();
    return new Promise((resolve, reject) => {
      this.#native.poller.once(name, (error) => (error ? reject(error) : resolve()));
    });
  }
}

/** A bug of the listener ends the process: the addon that called us would swallow it, and the line would fall silent. */
function handOver(onBytes: (bytes: Uint8Array) => void, bytes: Uint8Array): void {
  try {
    onBytes(bytes);
  } catch (bug) {
    process.nextTick(() => {
      throw bug;
    });
  }
}

/** Opens a device with serialport's native binding and wraps it; `onOpen` gets the port for writing past the stream. */
export function directBinding(onOpen: (port: DirectPort) => void) {
  const native = SerialPort.binding as unknown as { open(options: unknown): Promise<NativePort>; list(): unknown };
  return {
    list: () => native.list(),
    async open(options: unknown): Promise<DirectPort> {
      const opened = await native.open(options);
      assert(
        typeof opened.fd === "number" && typeof opened.poller?.once === "function",
        "serialport binding is not the Linux one",
      );
      const port = new DirectPort(opened);
      onOpen(port);
      return port;
    },
  };
}
