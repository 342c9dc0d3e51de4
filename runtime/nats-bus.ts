import { BUS_CHANNELS, type BusChannel, type BusChannels, busSubject } from "@servofleet/contracts";
import { connect, JSONCodec, type NatsConnection } from "nats";
import type { Clock, Timer } from "./clock.ts";
import type { MessageBus } from "./message-bus.ts";

/** Pause between attempts to reach the server, doubled each time. */
export const NATS_RETRY_MIN_MS = 100;
export const NATS_RETRY_MAX_MS = 2000;
const CONNECT_LIMIT_MS = 2000;
const PING_MS = 1000;
const PINGS_OUT_MAX = 2;

export interface NatsBusParts {
  /** `nats://host:port`. */
  readonly url: string;
  readonly box: string;
  readonly clock: Clock;
  /** A handler threw, or the connection was lost: for the log, never for control. */
  readonly onFault: (what: string, error: unknown) => void;
}

type Handler = (message: never) => void;

/**
 * The message bus over core NATS. The client's own reconnecting is off: it would keep what was published meanwhile and
 * send it late, and an old order must never arrive late. Each attempt is a new connection with empty buffers.
 */
export class NatsBus implements MessageBus {
  readonly #parts: NatsBusParts;
  readonly #codec = JSONCodec<unknown>();
  readonly #handlers = new Map<BusChannel, Set<Handler>>(BUS_CHANNELS.map((channel) => [channel, new Set()]));
  readonly #listeners = new Set<(connected: boolean) => void>();
  // One subscription per channel and connection, however often handlers come and go: nobody hears a message twice.
  readonly #listened = new WeakMap<NatsConnection, Set<BusChannel>>();
  #connection: NatsConnection | undefined;
  #retry: Timer | undefined;
  #retryMs = NATS_RETRY_MIN_MS;
  #closed = false;

  constructor(parts: NatsBusParts) {
    this.#parts = parts;
    void this.#dial();
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  publish<C extends BusChannel>(channel: C, message: BusChannels[C]): boolean {
    if (!this.#connection || this.#connection.isClosed()) return false;
    try {
      this.#connection.publish(busSubject(this.#parts.box, channel), this.#codec.encode(message));
      return true;
    } catch (error) {
      this.#parts.onFault(`publishing on ${channel}`, error);
      return false;
    }
  }

  subscribe<C extends BusChannel>(channel: C, handler: (message: BusChannels[C]) => void): () => void {
    const handlers = this.#handlers.get(channel);
    handlers?.add(handler as Handler);
    if (this.#connection) this.#listen(this.#connection);
    return () => void handlers?.delete(handler as Handler);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    const open = this.#connection;
    this.#connection = undefined;
    await open?.drain();
  }

  async #dial(): Promise<void> {
    const { url, box } = this.#parts;
    try {
      const made = await connect({
        servers: url,
        reconnect: false,
        noEcho: true,
        timeout: CONNECT_LIMIT_MS,
        pingInterval: PING_MS,
        maxPingOut: PINGS_OUT_MAX,
        name: `servofleet ${box}`,
      });
      if (this.#closed) return void (await made.close());
      this.#listen(made);
      // The server has the subscriptions before anybody hears of the connection.
      await made.flush();
      this.#connection = made;
      this.#listen(made);
      this.#retryMs = NATS_RETRY_MIN_MS;
      void made.closed().then((error) => this.#lost(made, error));
      this.#tell(true);
    } catch (error) {
      this.#parts.onFault(`no connection to ${url}`, error);
      this.#again();
    }
  }

  #listen(made: NatsConnection): void {
    const done = this.#listened.get(made) ?? new Set<BusChannel>();
    this.#listened.set(made, done);
    for (const [channel, handlers] of this.#handlers) {
      if (handlers.size === 0 || done.has(channel)) continue;
      done.add(channel);
      made.subscribe(busSubject(this.#parts.box, channel), {
        callback: (error, message) =>
          error ? this.#parts.onFault(`subscription to ${channel}`, error) : this.#deliver(channel, message.data),
      });
    }
  }

  #deliver(channel: BusChannel, data: Uint8Array): void {
    let message: never;
    try {
      message = this.#codec.decode(data) as never;
    } catch (error) {
      this.#parts.onFault(`a message on ${channel} is not JSON`, error);
      return;
    }
    for (const handler of this.#handlers.get(channel) ?? []) {
      try {
        handler(message);
      } catch (error) {
        this.#parts.onFault(`a handler of ${channel} failed`, error);
      }
    }
  }

  #lost(made: NatsConnection, error: unknown): void {
    if (this.#connection !== made) return;
    this.#connection = undefined;
    if (this.#closed) return;
    this.#parts.onFault(`connection to ${this.#parts.url} lost`, error);
    this.#tell(false);
    this.#again();
  }

  #tell(connected: boolean): void {
    for (const listener of this.#listeners) listener(connected);
  }

  #again(): void {
    if (this.#closed) return;
    this.#retry = this.#parts.clock.after(this.#retryMs, () => void this.#dial());
    this.#retryMs = Math.min(this.#retryMs * 2, NATS_RETRY_MAX_MS);
  }
}
