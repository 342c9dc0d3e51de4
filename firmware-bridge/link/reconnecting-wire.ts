import type { Clock, Random, Timer } from "@servofleet/runtime/clock";
import type { Wire, WireSession } from "./wire.ts";

const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 5000;
/** A session that lived this long starts the back-off anew. */
const STEADY_MS = 2000;

export interface ReconnectingHandlers {
  onUp(session: WireSession): void;
  onBytes(bytes: Uint8Array): void;
  onDown(reason: string): void;
}

/** Keeps a wire open: after each end it opens a fresh session, with a back-off of 0.2 to 5 s. */
export class ReconnectingWire {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #handlers: ReconnectingHandlers;
  #session: WireSession | undefined;
  #retry: Timer | undefined;
  #attempt = 0;
  #upSinceMs: number | undefined;
  #running = false;

  constructor(wire: Wire, clock: Clock, random: Random, handlers: ReconnectingHandlers) {
    this.#wire = wire;
    this.#clock = clock;
    this.#random = random;
    this.#handlers = handlers;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#open();
  }

  /** Ends the present session and opens another after the back-off. */
  restart(reason: string): void {
    this.#session?.close(reason);
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#retry?.cancel();
    const session = this.#session;
    session?.close("link closed");
    await session?.closed;
  }

  #open(): void {
    let ended = false;
    const session = this.#wire.open({
      onUp: () => {
        this.#upSinceMs = this.#clock.monotonicMs();
        this.#handlers.onUp(session);
      },
      onBytes: (bytes) => this.#handlers.onBytes(bytes),
      onDown: (reason) => {
        ended = true;
        this.#session = undefined;
        this.#handlers.onDown(reason);
        this.#scheduleRetry();
      },
    });
    if (!ended) this.#session = session;
  }

  #scheduleRetry(): void {
    const upMs = this.#upSinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#upSinceMs;
    this.#upSinceMs = undefined;
    this.#attempt = upMs >= STEADY_MS ? 0 : this.#attempt + 1;
    if (!this.#running) return;
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(this.#attempt, 10));
    const jitterMs = Math.max(BACKOFF_MIN_MS, backoffMs * (0.75 + 0.25 * this.#random.next()));
    this.#retry = this.#clock.after(jitterMs, () => {
      if (this.#running) this.#open();
    });
  }
}
