import type { ChildProcess } from "node:child_process";
import { BUS_CHANNELS, type BusChannel, type BusChannels } from "@servofleet/contracts";
import { type BusFaultListener, BusSubscribers } from "./bus-subscribers.ts";
import type { MessageBus } from "./message-bus.ts";

/** Messages handed to the channel and not yet taken by the kernel; more are refused (`publish` is false). */
const BACKLOG_MAX = 8192;
/** Samples and captures give way long before anything else. */
const SAMPLE_BACKLOG_MAX = 256;
/** How long `close` waits for the backlog. */
const CLOSE_LIMIT_MS = 1000;

const KNOWN_CHANNELS: ReadonlySet<string> = new Set(BUS_CHANNELS);

/** What a ChildProcess and the child's own `process` have in common. */
interface Channel {
  readonly connected?: boolean;
  send?(message: object, done: (error: Error | null) => void): boolean;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
  off(event: "disconnect", listener: () => void): unknown;
  disconnect?(): void;
}

/** Stops and beats are never held back by a backlog: the kernel's buffer is their only queue. */
function room(channel: BusChannel, backlog: number): boolean {
  switch (channel) {
    case "stops":
    case "controller-beats":
    case "bridge-beats":
      return true;
    case "samples":
    case "captures":
      return backlog < SAMPLE_BACKLOG_MAX;
    case "orders":
    case "reports":
    case "capture-requests":
      return backlog < BACKLOG_MAX;
  }
}

/**
 * The bus over the message channel between a process and its child (`fork` with `serialization: "advanced"`). The
 * parent's end outlives its child: `attach` gives it the next one. Nothing waits for a child that is not there.
 */
export class ChildProcessBus implements MessageBus {
  readonly #subscribers: BusSubscribers;
  #channel: Channel | undefined;
  #backlog = 0;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(onFault: BusFaultListener) {
    this.#subscribers = new BusSubscribers(onFault);
  }

  get connected(): boolean {
    return !this.#closed && this.#channel?.connected === true;
  }

  /** Speaks with this process from now on; what an earlier one still says is not heard any more. */
  attach(channel: ChildProcess | NodeJS.Process): void {
    this.#detach();
    if (this.#closed) return;
    this.#channel = channel as Channel;
    this.#backlog = 0;
    this.#channel.on("message", this.#onMessage);
    this.#channel.on("disconnect", this.#onDisconnect);
    if (this.connected) this.#subscribers.tellConnection(true);
  }

  publish<C extends BusChannel>(channel: C, message: BusChannels[C]): boolean {
    const to = this.#channel;
    if (!to?.send || !this.connected || !room(channel, this.#backlog)) return false;
    this.#backlog += 1;
    try {
      to.send({ channel, message }, (error) => {
        if (to !== this.#channel) return;
        this.#backlog -= 1;
        if (error) this.#subscribers.fault(channel, error);
        if (this.#backlog === 0) this.#drained?.();
      });
      return true;
    } catch (error) {
      // The channel broke between the look and the call.
      this.#backlog -= 1;
      this.#subscribers.fault(channel, error);
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
    await this.#drain();
    const channel = this.#channel;
    const was = this.connected;
    this.#closed = true;
    this.#release();
    if (channel?.connected) channel.disconnect?.();
    if (was) this.#subscribers.tellConnection(false);
  }

  #drain(): Promise<void> {
    if (this.#backlog === 0 || !this.connected) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, CLOSE_LIMIT_MS);
      this.#drained = () => {
        clearTimeout(limit);
        resolve();
      };
    });
  }

  #detach(): void {
    if (!this.#channel) return;
    const was = this.connected;
    this.#release();
    if (was) this.#subscribers.tellConnection(false);
  }

  #release(): void {
    this.#channel?.off("message", this.#onMessage);
    this.#channel?.off("disconnect", this.#onDisconnect);
    this.#channel = undefined;
  }

  readonly #onDisconnect = (): void => {
    this.#release();
    this.#subscribers.tellConnection(false);
    this.#drained?.();
  };

  readonly #onMessage = (message: unknown): void => {
    // Other users of the channel exist (cluster, test runners): only our own envelope is taken.
    const found = message as { channel?: unknown; message?: unknown } | null;
    if (typeof found !== "object" || found === null || typeof found.channel !== "string") return;
    if (!KNOWN_CHANNELS.has(found.channel) || typeof found.message !== "object" || found.message === null) {
      this.#subscribers.fault(found.channel, message);
      return;
    }
    // Both ends run the same release of the contracts: the child is forked by its parent.
    this.#subscribers.deliver(found.channel as BusChannel, found.message as BusChannels[BusChannel]);
  };
}

/** The parent's end. Attach each child after forking it. */
export const parentProcessBus = (onFault: BusFaultListener): ChildProcessBus => new ChildProcessBus(onFault);

/** The child's end, on the channel to the process that forked it. Subscribe in the same turn. */
export function childProcessBus(onFault: BusFaultListener, self: NodeJS.Process = process): ChildProcessBus {
  const bus = new ChildProcessBus(onFault);
  bus.attach(self);
  return bus;
}
