import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@servofleet/runtime/clock";
import { MbapConnection } from "./mbap-connection.ts";
import type { DrivePort } from "./reply-faults.ts";
import { SimError } from "./sim-error.ts";

const CONNECTIONS_MAX = 16;

/** A Modbus TCP port with one or more simulated drives behind it (Modbus messaging on TCP/IP v1.0b, 3.1). */
export class TcpSlaves {
  readonly #ports: readonly DrivePort[];
  readonly #clock: Clock;
  readonly #replyMs: number;
  readonly #sockets = new Set<Socket>();
  readonly #host: string;
  #port: number;
  #server: Server | undefined;

  /** `port` 0 takes a free one, which it then keeps through unplugging. */
  constructor(ports: readonly DrivePort[], clock: Clock, host: string, port: number, replyMs: number) {
    this.#ports = ports;
    this.#clock = clock;
    this.#host = host;
    this.#port = port;
    this.#replyMs = replyMs;
  }

  get port(): number {
    return this.#port;
  }

  get listening(): boolean {
    return this.#server !== undefined;
  }

  /** Starts listening; harmless when it does. Throws SimError `port-taken`. */
  async open(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    server.maxConnections = CONNECTIONS_MAX;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, this.#host, resolve);
    }).catch((cause: unknown) => {
      this.#server = undefined;
      throw new SimError(
        "port-taken",
        { host: this.#host, port: this.#port, cause: String(cause) },
        "choose another port or 0",
      );
    });
    const address = server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
  }

  /** Pulls the cable's far end: open connections are reset, new ones refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.reset();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Resets all open connections (RST), as a drive does that restarts its network part. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Sends bytes nobody asked for to all connections. */
  inject(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  #accept(socket: Socket): void {
    const clientsMax = Math.min(...this.#ports.map(({ drive }) => drive.clientsMax ?? CONNECTIONS_MAX));
    if (this.#sockets.size >= clientsMax) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const connection = new MbapConnection({
      ports: this.#ports,
      clock: this.#clock,
      replyMs: this.#replyMs,
      send: (bytes) => void (socket.writable && socket.write(bytes)),
      hangUp: () => socket.destroy(),
    });
    socket.on("data", (bytes: Buffer) => connection.receive(bytes));
  }
}
