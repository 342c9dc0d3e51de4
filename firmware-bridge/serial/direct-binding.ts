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

const canceled = () => Object.assign(new Error("port is closed"), { canceled: true });
const isCode = (error: unknown, code: string) => (error as NodeJS.ErrnoException).code === code;
const wouldBlock = (error: unknown) => isCode(error, "EAGAIN") || isCode(error, "EINTR");

/**
 * A serialport binding that reads and writes the descriptor itself and only waits with serialport's poller. The stock
 * binding takes three trips through libuv's thread pool per transaction, and waits there behind disk and hashing.
 */
export class DirectPort {
  readonly #native: NativePort;

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
    try {
      const count = readSync(this.#descriptor(), into, offset, length, null);
      if (count === 0) throw Object.assign(new Error("the serial device hung up"), { disconnect: true });
      return count;
    } catch (error) {
      if (wouldBlock(error)) return 0;
      throw error;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let written = this.writeNow(bytes); written < bytes.length; written += this.writeNow(bytes, written)) {
      await this.#event("writable");
    }
  }

  async read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
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

  #event(name: "readable" | "writable"): Promise<void> {
    this.#descriptor();
    return new Promise((resolve, reject) => {
      this.#native.poller.once(name, (error) => (error ? reject(error) : resolve()));
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
