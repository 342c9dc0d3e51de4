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

/**
 * The message bus over core NATS. The client's own reconnecting is off: it would keep what was published meanwhile and
 * send it late, and an old order must never arrive late. Each attempt is a new connection with empty buffers.
 */
export function natsBus(parts: NatsBusParts): MessageBus {
  const codec = JSONCodec<unknown>();
  const handlers = new Map<BusChannel, Set<(message: never) => void>>(
    BUS_CHANNELS.map((channel) => [channel, new Set()]),
  );
  const listeners = new Set<(connected: boolean) => void>();
  let connection: NatsConnection | undefined;
  let retry: Timer | undefined;
  let retryMs = NATS_RETRY_MIN_MS;
  let closed = false;

  const deliver = (channel: BusChannel, data: Uint8Array): void => {
    let message: never;
    try {
      message = codec.decode(data) as never;
    } catch (error) {
      parts.onFault(`a message on ${channel} is not JSON`, error);
      return;
    }
    for (const handler of handlers.get(channel) ?? []) {
      try {
        handler(message);
      } catch (error) {
        parts.onFault(`a handler of ${channel} failed`, error);
      }
    }
  };

  // One subscription per channel and connection, however often handlers come and go: nobody hears a message twice.
  const listened = new WeakMap<NatsConnection, Set<BusChannel>>();
  const listen = (made: NatsConnection): void => {
    const done = listened.get(made) ?? new Set<BusChannel>();
    listened.set(made, done);
    for (const [channel, set] of handlers) {
      if (set.size === 0 || done.has(channel)) continue;
      done.add(channel);
      made.subscribe(busSubject(parts.box, channel), {
        callback: (error, message) =>
          error ? parts.onFault(`subscription to ${channel}`, error) : deliver(channel, message.data),
      });
    }
  };

  const tell = (connected: boolean): void => {
    for (const listener of listeners) listener(connected);
  };

  const again = (): void => {
    if (closed) return;
    retry = parts.clock.after(retryMs, () => void dial());
    retryMs = Math.min(retryMs * 2, NATS_RETRY_MAX_MS);
  };

  const dial = async (): Promise<void> => {
    try {
      const made = await connect({
        servers: parts.url,
        reconnect: false,
        noEcho: true,
        timeout: CONNECT_LIMIT_MS,
        pingInterval: PING_MS,
        maxPingOut: PINGS_OUT_MAX,
        name: `servofleet ${parts.box}`,
      });
      if (closed) return void (await made.close());
      listen(made);
      // The server has the subscriptions before anybody hears of the connection.
      await made.flush();
      connection = made;
      listen(made);
      retryMs = NATS_RETRY_MIN_MS;
      void made.closed().then((error) => lost(made, error));
      tell(true);
    } catch (error) {
      parts.onFault(`no connection to ${parts.url}`, error);
      again();
    }
  };

  const lost = (made: NatsConnection, error: unknown): void => {
    if (connection !== made) return;
    connection = undefined;
    if (closed) return;
    parts.onFault(`connection to ${parts.url} lost`, error);
    tell(false);
    again();
  };

  void dial();
  return {
    publish<C extends BusChannel>(channel: C, message: BusChannels[C]): boolean {
      if (!connection || connection.isClosed()) return false;
      try {
        connection.publish(busSubject(parts.box, channel), codec.encode(message));
        return true;
      } catch (error) {
        parts.onFault(`publishing on ${channel}`, error);
        return false;
      }
    },
    subscribe<C extends BusChannel>(channel: C, handler: (message: BusChannels[C]) => void): () => void {
      const set = handlers.get(channel);
      set?.add(handler as (message: never) => void);
      if (connection) listen(connection);
      return () => void set?.delete(handler as (message: never) => void);
    },
    get connected() {
      return connection !== undefined;
    },
    onConnection(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      closed = true;
      retry?.cancel();
      const open = connection;
      connection = undefined;
      await open?.drain();
    },
  };
}
