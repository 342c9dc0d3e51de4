import type { RtuLinkConfig } from "@servofleet/contracts";
import { SerialPort } from "serialport";
import type { Wire, WireHandlers, WireSession } from "../link/wire.ts";
import { type DirectPort, directBinding } from "./direct-binding.ts";

/** More than the kernel keeps for one line in both directions of a transaction. */
const DRAIN_BYTES = 1024;
const NOTHING = new Uint8Array(0);

/** How a serial device is opened; 8 data bits always. */
export type SerialLine = Pick<RtuLinkConfig, "port" | "baud" | "parity" | "stopBits">;

type SerialPortOptions = ConstructorParameters<typeof SerialPort>[0];

/** One opening of a serial device. A SerialPort that was disconnected cannot be opened again, so each session has its own. */
class SerialSession implements WireSession {
  readonly closed: Promise<void>;
  readonly #handlers: WireHandlers;
  readonly #port: SerialPort;
  readonly #drained = new Uint8Array(DRAIN_BYTES);
  #direct: DirectPort | undefined;
  #down = false;
  #resolveClosed: () => void = () => undefined;

  constructor(config: SerialLine, handlers: WireHandlers) {
    this.#handlers = handlers;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const options = {
      binding: directBinding((port) => {
        this.#direct = port;
        port.onBytes = (bytes) => {
          if (!this.#down) this.#handlers.onBytes(bytes);
        };
      }),
      path: config.port,
      baudRate: config.baud,
      parity: config.parity,
      stopBits: config.stopBits,
      dataBits: 8,
    };
    this.#port = new SerialPort(options as unknown as SerialPortOptions, (error) => this.#opened(error));
    // Without a listener an error of the port would end the process.
    this.#port.on("error", (error) => this.#end(error.message));
    this.#port.on("close", (error: Error | null) => this.#end(error?.message ?? "port closed"));
    // Reading begins; the bytes come past the stream.
    this.#port.resume();
  }

  write(bytes: Uint8Array): number {
    try {
      return this.#direct && !this.#down ? this.#direct.writeNow(bytes) : 0;
    } catch (error) {
      this.#end(`write failed: ${(error as Error).message}`);
      return 0;
    }
  }

  drain(): Uint8Array {
    if (this.#direct?.isDrained) return NOTHING;
    try {
      const count = this.#direct && !this.#down ? this.#direct.readNow(this.#drained, 0, DRAIN_BYTES) : 0;
      return count === 0 ? NOTHING : this.#drained.slice(0, count);
    } catch (error) {
      this.#end(`read failed: ${(error as Error).message}`);
      return NOTHING;
    }
  }

  close(reason: string): void {
    this.#end(reason);
  }

  #opened(error: Error | null | undefined): void {
    if (error) {
      this.#end(error.message);
      this.#resolveClosed();
    } else if (this.#down) this.#release();
    else this.#handlers.onUp();
  }

  #end(reason: string): void {
    if (!this.#down) {
      this.#down = true;
      this.#handlers.onDown(reason);
    }
    this.#release();
  }

  #release(): void {
    if (this.#port.isOpen) this.#port.close(() => this.#resolveClosed());
    else if (!this.#port.opening && !this.#port.closing) this.#resolveClosed();
  }
}

/** The serial device of a line, by its path (best a link under /dev/serial/by-id). */
export const serialWire = (config: SerialLine): Wire => ({
  open: (handlers) => new SerialSession(config, handlers),
});
