import { BUS_CHANNELS, type BusChannel, type BusChannels, busSubject } from "@servofleet/contracts";
import { connect, JSONCodec, type NatsConnection } from "nats";
import { type BusFaultListener, BusSubscribers } from "./bus-subscribers.ts";
import type { Clock, Timer } from "./clock.ts";
import type { MessageBus } from "./message-bus.ts";

/** Pause between attempts to reach the server, doubled each time. */
export const NATS_RETRY_MIN_MS = 100;
export const NATS_RETRY_MAX_MS = 2000;
const CONNECT_LIMIT_MS = 2000;
const PING_MS = 1000;
const PINGS_OUT_MAX = 2;

/** Where the server is, and whose box speaks. */
export interface NatsBusParts {
  /** `nats://host:port`. */
  readonly url: string;
  readonly box: string;
  readonly clock: Clock;
  /** A handler threw, or the connection was lost: for the log, never for control. */
  readonly onFault: BusFaultListener;
}

/**
 * The message bus over core NATS. The client's own reconnecting is off: it would keep what was published meanwhile and
 * send it late, and an old order must never arrive late. Each attempt is a new connection with empty buffers.
 */
export class NatsBus implements MessageBus {
  readonly #parts: NatsBusParts;
  readonly #codec = JSONCodec<unknown>();
  readonly #subscribers: BusSubscribers;
  #connection: NatsConnection | undefined;
  #retry: Timer | undefined;
  #retryMs = NATS_RETRY_MIN_MS;
  #closed = false;

  constructor(parts: NatsBusParts) {
    this.#parts = parts;
    this.#subscribers = new BusSubscribers(parts.onFault);
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
      this.#parts.onFault(channel, error);
      return false;
    }
  }

  subscribe<C extends BusChannel>(channel: C, handler: (message: BusChannels[C]) => void): () => void {
    return this.#subscribers.subscribe(channel, handler);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.#subscribers.onConnection(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retry?.cancel();
    const open = this.#connection;
    this.#connection = undefined;
    if (!open) return;
    await open.drain().catch((error: unknown) => this.#parts.onFault("closing", error));
    this.#subscribers.tellConnection(false);
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
      for (const channel of BUS_CHANNELS) this.#listen(made, channel);
      // The server has the subscriptions before anybody hears of the connection.
      await made.flush();
      this.#connection = made;
      this.#retryMs = NATS_RETRY_MIN_MS;
      void made.closed().then((error) => this.#lost(made, error));
      this.#subscribers.tellConnection(true);
    } catch (error) {
      this.#parts.onFault(`connecting to ${url}`, error);
      this.#again();
    }
  }

  #listen(made: NatsConnection, channel: BusChannel): void {
    made.subscribe(busSubject(this.#parts.box, channel), {
      callback: (error, message) =>
        error ? this.#parts.onFault(channel, error) : this.#deliver(channel, message.data),
    });
  }

  #deliver(channel: BusChannel, data: Uint8Array): void {
    let message: unknown;
    try {
      message = this.#codec.decode(data);
    } catch (error) {
      this.#parts.onFault(channel, error);
      return;
    }
    // Both ends run the same release of the contracts; a foreign publisher on these subjects is for NATS permissions.
    this.#subscribers.deliver(channel, message as BusChannels[BusChannel]);
  }

  #lost(made: NatsConnection, error: unknown): void {
    if (this.#connection !== made) return;
    this.#connection = undefined;
    if (this.#closed) return;
    this.#parts.onFault(`connection to ${this.#parts.url}`, error ?? "lost");
    this.#subscribers.tellConnection(false);
    this.#again();
  }

  #again(): void {
    if (this.#closed) return;
    this.#retry = this.#parts.clock.after(this.#retryMs, () => void this.#dial());
    this.#retryMs = Math.min(this.#retryMs * 2, NATS_RETRY_MAX_MS);
  }
}
