import { connect, type Socket } from "node:net";
import type { TcpLinkConfig } from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { Wire, WireHandlers, WireSession } from "./wire.ts";

type Server = Pick<TcpLinkConfig, "host" | "port">;

const CONNECT_TIMEOUT_MS = 3000;
const KEEPALIVE_MS = 10_000;
const NOTHING = new Uint8Array(0);

/** One TCP connection; a reset and an orderly end both come out as `onDown`. */
class TcpSession implements WireSession {
  readonly closed: Promise<void>;
  readonly #handlers: WireHandlers;
  readonly #socket: Socket;
  readonly #connectTimer: Timer;
  #up = false;
  #down = false;

  constructor(config: Server, handlers: WireHandlers, clock: Clock) {
    this.#handlers = handlers;
    this.#socket = connect({
      host: config.host,
      port: config.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_MS,
    });
    this.closed = new Promise((resolve) => this.#socket.once("close", () => resolve()));
    this.#connectTimer = clock.after(CONNECT_TIMEOUT_MS, () =>
      this.#end(`no connection to ${config.host}:${config.port} within ${CONNECT_TIMEOUT_MS} ms`),
    );
    this.#socket.on("connect", () => this.#connected());
    this.#socket.on("data", (bytes) => {
      if (!this.#down) this.#handlers.onBytes(bytes);
    });
    this.#socket.on("error", (error) => this.#end(error.message));
    this.#socket.on("end", () => this.#end("the other end closed the connection"));
    this.#socket.on("close", () => this.#end("connection closed"));
  }

  write(bytes: Uint8Array): number {
    if (this.#down || !this.#up) return 0;
    this.#socket.write(bytes);
    // Node writes to an idle socket at once; what is still counted here the kernel did not take.
    return Math.max(0, bytes.length - this.#socket.writableLength);
  }

  /** Ids tell late answers apart, so nothing has to be read ahead. */
  drain(): Uint8Array {
    return NOTHING;
  }

  close(reason: string): void {
    this.#end(reason);
  }

  #connected(): void {
    this.#connectTimer.cancel();
    if (this.#down) return;
    this.#up = true;
    this.#handlers.onUp();
  }

  #end(reason: string): void {
    if (this.#down) return;
    this.#down = true;
    this.#connectTimer.cancel();
    this.#socket.destroy();
    this.#handlers.onDown(reason);
  }
}

/** The socket of a `modbus-tcp` or `modbus-rtu-over-tcp` link. */
export const tcpWire = (config: Server, clock: Clock): Wire => ({
  open: (handlers) => new TcpSession(config, handlers, clock),
});
