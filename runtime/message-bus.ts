import type { BusChannel, BusChannels } from "@servofleet/contracts";

/**
 * The port between controller and bridge. Laws (message-bus.contract.ts):
 * - messages of one channel arrive in the order they were published, at most once;
 * - `publish` never blocks and never throws for a broken connection: it returns false and the message is gone;
 * - nothing published while disconnected is delivered later (an old order must never arrive late);
 * - a handler that throws does not end the subscription of others (the error goes to `onFault`).
 */
export interface MessageBus {
  publish<C extends BusChannel>(channel: C, message: BusChannels[C]): boolean;
  /** Returns the function that ends the subscription. */
  subscribe<C extends BusChannel>(channel: C, handler: (message: BusChannels[C]) => void): () => void;
  readonly connected: boolean;
  /** Called on each change of `connected`. Returns the function that ends it. */
  onConnection(listener: (connected: boolean) => void): () => void;
  /** Sends what is buffered, then closes. Idempotent. */
  close(): Promise<void>;
}
