import { createServer, type Server, type Socket } from "node:net";
import { SimError } from "./sim-error.ts";

/** A serial device server: whatever comes over TCP goes to the line as it is, and back. */
export class RawTcpLine {
  readonly #host: string;
  #port: number;
  readonly #read: (bytes: Buffer) => void;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  /** `port` 0 takes a free one, which it then keeps through unplugging. */
  constructor(host: string, port: number, read: (bytes: Buffer) => void) {
    this.#host = host;
    this.#port = port;
    this.#read = read;
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
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, this.#host, resolve);
    }).catch((cause: unknown) => {
      this.#server = undefined;
      const facts = { host: this.#host, port: this.#port, cause: String(cause) };
      throw new SimError("port-taken", facts, "choose another port or 0");
    });
    const address = server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.reset();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  inject(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
  }
}
