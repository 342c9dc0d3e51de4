import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import type { LiveMessage } from "@servofleet/contracts";
import type { Logger } from "../controller-parts.ts";

const CLIENTS_MAX = 16;
/** A client that has this much unread misses what comes until it has caught up. */
const CLIENT_BUFFER_MAX_BYTES = 256 * 1024;

/** Newest values for local readers: one JSON object per line. Lossy: nobody who reads slowly costs anybody anything. */
export class LiveSocket {
  readonly #clients = new Set<Socket>();
  readonly #server: Server;

  private constructor(server: Server, logger: Logger) {
    this.#server = server;
    server.on("connection", (socket) => this.#welcome(socket, logger));
  }

  /** Rejects when the path cannot be listened on. The socket of a former life is removed. */
  static async listen(path: string, logger: Logger): Promise<LiveSocket> {
    await rm(path, { force: true });
    const server = createServer();
    const live = new LiveSocket(server, logger);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    server.on("error", (error) => logger.error({ error }, "the live socket broke"));
    await chmod(path, 0o660);
    return live;
  }

  publish(message: LiveMessage): void {
    if (this.#clients.size === 0) return;
    const line = `${JSON.stringify(message)}\n`;
    for (const client of this.#clients) {
      if (client.writableLength <= CLIENT_BUFFER_MAX_BYTES) client.write(line);
    }
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #welcome(socket: Socket, logger: Logger): void {
    if (this.#clients.size >= CLIENTS_MAX) {
      logger.warn({ max: CLIENTS_MAX }, "a reader of live values was turned away");
      socket.destroy();
      return;
    }
    this.#clients.add(socket);
    // Readers have nothing to say.
    socket.resume();
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#clients.delete(socket));
  }
}
