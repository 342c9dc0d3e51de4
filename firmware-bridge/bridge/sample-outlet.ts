import type { Sample } from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";

/** Samples of one message; more than that goes at once. */
const BATCH_MAX = 64;
const BATCH_MS = 10;

/** Gathers samples for a few milliseconds so that a fleet is not one message per reading. Lossy, never waited for. */
export class SampleOutlet {
  readonly #bus: MessageBus;
  readonly #clock: Clock;
  #waiting: Sample[] = [];
  #timer: Timer | undefined;

  constructor(bus: MessageBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  add(sample: Sample): void {
    this.#waiting.push(sample);
    if (this.#waiting.length >= BATCH_MAX) this.flush();
    else this.#timer ??= this.#clock.after(BATCH_MS, () => this.flush(), true);
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const samples = this.#waiting;
    this.#waiting = [];
    this.#bus.publish("samples", { type: "samples", samples });
  }
}
