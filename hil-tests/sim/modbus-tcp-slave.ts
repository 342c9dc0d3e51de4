import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@servofleet/runtime/clock";
import type { DrivePort, Reply } from "./reply-faults.ts";
import { SimError } from "./sim-error.ts";

const MBAP_BYTES = 7;
const LENGTH_MAX = 254;
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
    let buffer = Buffer.alloc(0);
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      buffer = Buffer.concat([buffer, bytes]);
      while (buffer.length >= MBAP_BYTES) {
        const length = buffer.readUInt16BE(4);
        // Nothing after a broken header can be trusted, and a TCP error gets no answer: hang up.
        if (buffer.readUInt16BE(2) !== 0 || length < 2 || length > LENGTH_MAX) {
          socket.destroy();
          return;
        }
        if (buffer.length < 6 + length) return;
        this.#serve(socket, buffer.subarray(0, 6 + length));
        buffer = buffer.subarray(6 + length);
      }
    });
  }

  #serve(socket: Socket, frame: Buffer): void {
    const port = this.#ports.find(({ drive }) => drive.unit === frame[6]);
    const reply = port?.answer(frame.subarray(7), this.#clock.monotonicNs());
    if (!reply) return;
    const bytes = mbap(frame.readUInt16BE(0), reply);
    const delayMs = this.#replyMs + reply.delayMs;
    if (delayMs <= 0) socket.write(bytes);
    else this.#clock.after(delayMs, () => socket.writable && socket.write(bytes), true);
  }
}

function mbap(transaction: number, reply: Reply): Buffer {
  const header = Buffer.alloc(MBAP_BYTES);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(1 + reply.pdu.length, 4);
  header[6] = reply.unit;
  const frame = Buffer.concat([header, reply.pdu]);
  return frame.subarray(0, Math.max(0, frame.length - reply.cut));
}
