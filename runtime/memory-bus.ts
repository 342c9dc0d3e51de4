import type { BusChannel, BusChannels } from "@servofleet/contracts";
import { type BusFaultListener, BusSubscribers } from "./bus-subscribers.ts";
import type { MessageBus } from "./message-bus.ts";

/** Two ends of one bus inside a process, and the hand that pulls its plug. */
export interface MemoryBusPair {
  readonly controller: MessageBus;
  readonly bridge: MessageBus;
  /** What is under way is lost. */
  disconnect(): void;
  connect(): void;
}

interface Wire {
  connected: boolean;
  /** Raised by every disconnection: what was published before it is not delivered after it. */
  session: number;
}

class MemoryBusEnd implements MessageBus {
  readonly subscribers: BusSubscribers;
  readonly #wire: Wire;
  peer: MemoryBusEnd | undefined;
  #closed = false;

  constructor(wire: Wire, onFault: BusFaultListener) {
    this.#wire = wire;
    this.subscribers = new BusSubscribers(onFault);
  }

  get connected(): boolean {
    return this.#wire.connected && !this.#closed && this.peer?.isClosed === false;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  publish<C extends BusChannel>(channel: C, message: BusChannels[C]): boolean {
    const { peer } = this;
    if (!this.connected || !peer) return false;
    // Copied as a process boundary would: nobody shares state through a message.
    const copy = structuredClone(message) as BusChannels[C];
    const { session } = this.#wire;
    queueMicrotask(() => {
      if (this.#wire.session === session && !peer.isClosed) peer.subscribers.deliver(channel, copy);
    });
    return true;
  }

  subscribe<C extends BusChannel>(channel: C, handler: (message: BusChannels[C]) => void): () => void {
    return this.subscribers.subscribe(channel, handler);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.subscribers.onConnection(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    // What was published has been queued as microtasks before this one.
    await Promise.resolve();
    const was = this.connected;
    this.#closed = true;
    if (!was) return;
    this.subscribers.tellConnection(false);
    this.peer?.subscribers.tellConnection(false);
  }
}

/** A bus without a process boundary, for tests and simulation. */
export function memoryBusPair(onFault: BusFaultListener): MemoryBusPair {
  const wire: Wire = { connected: true, session: 0 };
  const controller = new MemoryBusEnd(wire, onFault);
  const bridge = new MemoryBusEnd(wire, onFault);
  controller.peer = bridge;
  bridge.peer = controller;
  const set = (connected: boolean): void => {
    if (wire.connected === connected) return;
    wire.connected = connected;
    if (!connected) wire.session += 1;
    for (const end of [controller, bridge]) if (!end.isClosed) end.subscribers.tellConnection(connected);
  };
  return { controller, bridge, disconnect: () => set(false), connect: () => set(true) };
}
