import type { ReportMessage } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { Logger } from "../controller-parts.ts";
import { LogError } from "../event-log/event-log.ts";
import { ReportSequence } from "./report-sequence.ts";

export interface ReportInboxParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Decides one report; resolves when what came of it is on disk. Effects on people who wait happen at once. */
  readonly handle: (message: ReportMessage) => Promise<unknown>;
  /** Reports are missing for good: ask for everything again. */
  readonly onJump: () => void;
}

/**
 * Reports of the bridge: each once, in their order, whatever the bus repeats. Only what is on disk counts as seen, so
 * that the bridge repeats what a full log has not taken.
 */
export class ReportInbox {
  readonly #parts: ReportInboxParts;
  #sequence: ReportSequence | undefined;
  #before: Promise<void> = Promise.resolve();

  constructor(parts: ReportInboxParts) {
    this.#parts = parts;
  }

  /** Newest report of that boot that is on disk, for our beats. */
  seen(bridgeBoot: string): number {
    return this.#sequence?.bridgeBoot === bridgeBoot ? this.#sequence.recorded : 0;
  }

  take(message: ReportMessage): void {
    const { clock, logger, onJump } = this.#parts;
    if (this.#sequence?.bridgeBoot !== message.bridgeBoot) this.#sequence = new ReportSequence(message.bridgeBoot);
    const sequence = this.#sequence;
    const arrival = sequence.arrive(message.seq, clock.monotonicMs());
    if (arrival === "known" || arrival === "gap") return;
    if (arrival === "jump") {
      logger.warn({ bridgeBoot: message.bridgeBoot, seq: message.seq }, "reports of the bridge are missing for good");
      onJump();
    }
    void this.#handle(message, sequence);
  }

  async #handle(message: ReportMessage, sequence: ReportSequence): Promise<void> {
    // A report without news is done at once, but it only counts when everything before it is on disk.
    // Without a value: each would hold the one before it, and with it everything that was ever recorded.
    const all = Promise.all([this.#before, this.#parts.handle(message)]).then(() => undefined);
    this.#before = all;
    try {
      await all;
      sequence.onDisk(message.seq);
    } catch (error) {
      if (this.#before === all) this.#before = Promise.resolve();
      if (!(error instanceof LogError)) throw error;
      sequence.takeBack();
    }
  }
}
