import { CAPTURE_FILE_MAX_BYTES, type CapturePart, type LinkId, type ProblemFacts } from "@servofleet/contracts";
import type { Clock, Random, Timer } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import { uuidV7 } from "@servofleet/runtime/random-id";

/** Captures asked for at once; the bridge answers no more. */
export const CAPTURES_MAX = 4;
/** A whole capture takes a fraction of a second; a bridge that is silent for longer will not finish it. */
export const CAPTURE_LIMIT_MS = 5000;

export interface CaptureDeskParts {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly random: Random;
  /** A bridge is heard. */
  readonly bridgeAlive: () => boolean;
}

/** The file, or why there is none. */
export type CaptureOutcome = { readonly file: Buffer } | { readonly problem: ProblemFacts };

interface Waiting {
  readonly parts: Buffer[];
  bytes: number;
  readonly settle: (outcome: CaptureOutcome) => void;
}

const AGAIN = "nothing was changed; ask again in a second";

/** Asks the bridge for the last frames of a link and puts the parts of its answer together. */
export class CaptureDesk {
  readonly #parts: CaptureDeskParts;
  readonly #waiting = new Map<string, Waiting>();
  readonly #end: () => void;

  constructor(parts: CaptureDeskParts) {
    this.#parts = parts;
    this.#end = parts.bus.subscribe("captures", (part) => this.#take(part));
  }

  /** Settles within CAPTURE_LIMIT_MS. */
  ask(link: LinkId): Promise<CaptureOutcome> {
    const { bus, clock, random, bridgeAlive } = this.#parts;
    if (this.#waiting.size >= CAPTURES_MAX) {
      const detail = `${CAPTURES_MAX} captures are being made already`;
      return Promise.resolve({ problem: { slug: "queue-full", detail, remedy: AGAIN } });
    }
    const captureId = uuidV7(clock, random);
    if (!bridgeAlive() || !bus.publish("capture-requests", { captureId, link }))
      return Promise.resolve(unavailable("no firmware bridge is heard, and it keeps the frames"));
    return new Promise((resolve) => {
      const limit: Timer = clock.after(CAPTURE_LIMIT_MS, () =>
        settle(unavailable(`the firmware bridge did not hand the frames over within ${CAPTURE_LIMIT_MS} ms`)),
      );
      const settle = (outcome: CaptureOutcome): void => {
        limit.cancel();
        this.#waiting.delete(captureId);
        resolve(outcome);
      };
      this.#waiting.set(captureId, { parts: [], bytes: 0, settle });
    });
  }

  close(): void {
    this.#end();
    for (const { settle } of [...this.#waiting.values()]) settle(unavailable("the controller is shutting down"));
  }

  #take({ captureId, index, last, base64 }: CapturePart): void {
    const waiting = this.#waiting.get(captureId);
    if (!waiting) return;
    const bytes = Buffer.from(base64, "base64");
    waiting.bytes += bytes.length;
    if (index !== waiting.parts.length || waiting.bytes > CAPTURE_FILE_MAX_BYTES) {
      waiting.settle(unavailable("a part of the capture was lost between bridge and controller"));
      return;
    }
    waiting.parts.push(bytes);
    if (last) waiting.settle({ file: Buffer.concat(waiting.parts) });
  }
}

const unavailable = (detail: string): CaptureOutcome => ({
  problem: { slug: "service-unavailable", detail, remedy: AGAIN },
});
