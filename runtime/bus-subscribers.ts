import type { BusChannel, BusChannels } from "@servofleet/contracts";

/** Told of a handler that threw, or of a message that is not one of ours. Never throws itself. */
export type BusFaultListener = (channel: string, error: unknown) => void;

type Handler = (message: never) => void;

/** Who listens to which channel of one bus end. A handler that throws does not keep a message from the others. */
export class BusSubscribers {
  readonly #handlers = new Map<BusChannel, Set<Handler>>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  readonly #onFault: BusFaultListener;

  constructor(onFault: BusFaultListener) {
    this.#onFault = onFault;
  }

  subscribe<C extends BusChannel>(channel: C, handler: (message: BusChannels[C]) => void): () => void {
    const handlers = this.#handlers.get(channel) ?? new Set<Handler>();
    this.#handlers.set(channel, handlers);
    const own: Handler = (message) => handler(message);
    handlers.add(own);
    return () => void handlers.delete(own);
  }

  deliver(channel: BusChannel, message: BusChannels[BusChannel]): void {
    for (const handler of this.#handlers.get(channel) ?? []) this.#guarded(channel, () => handler(message as never));
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    const own = (connected: boolean) => listener(connected);
    this.#connectionListeners.add(own);
    return () => void this.#connectionListeners.delete(own);
  }

  tellConnection(connected: boolean): void {
    for (const listener of this.#connectionListeners) this.#guarded("connection", () => listener(connected));
  }

  fault(channel: string, error: unknown): void {
    this.#onFault(channel, error);
  }

  #guarded(channel: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#onFault(channel, error);
    }
  }
}
