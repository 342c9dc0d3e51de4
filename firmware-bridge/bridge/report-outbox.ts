import type { ControllerBeat, Report, ReportMessage } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";

/** Reports kept for repeating; the oldest are given up beyond it (a controller away so long asks for a description). */
export const REPORTS_KEPT_MAX = 8192;
/** A report younger than this may still be under way, ms. */
const REPEAT_AFTER_MS = 250;
/** Reports repeated for one beat, so that a beat never becomes a flood. */
const REPEAT_MAX = 512;

interface Kept {
  readonly message: ReportMessage;
  sentAtMs: number;
}

/** Numbers the reports of this boot, keeps them until the controller has them, repeats what it misses. */
export class ReportOutbox {
  readonly #bus: MessageBus;
  readonly #clock: Clock;
  readonly #boot: string;
  #kept: Kept[] = [];
  #seq = 0;

  constructor(bus: MessageBus, clock: Clock, boot: string) {
    this.#bus = bus;
    this.#clock = clock;
    this.#boot = boot;
  }

  /** Newest number. */
  get seq(): number {
    return this.#seq;
  }

  send(report: Report): void {
    const message: ReportMessage = { bridgeBoot: this.#boot, seq: ++this.#seq, report };
    this.#kept.push({ message, sentAtMs: this.#clock.monotonicMs() });
    if (this.#kept.length > REPORTS_KEPT_MAX) this.#kept.shift();
    this.#bus.publish("reports", message);
  }

  /** The controller says what it has: forget that, repeat what came after and had time to arrive. */
  seen({ bridgeBoot, reportsSeen }: ControllerBeat): void {
    if (bridgeBoot !== this.#boot) return;
    const first = this.#kept[0];
    if (first && first.message.seq <= reportsSeen) {
      this.#kept = this.#kept.filter(({ message }) => message.seq > reportsSeen);
    }
    const nowMs = this.#clock.monotonicMs();
    for (const kept of this.#kept.slice(0, REPEAT_MAX)) {
      if (nowMs - kept.sentAtMs < REPEAT_AFTER_MS) continue;
      kept.sentAtMs = nowMs;
      this.#bus.publish("reports", kept.message);
    }
  }
}
