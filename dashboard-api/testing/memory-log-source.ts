import type { RecordedEvent } from "@servofleet/contracts";
import type { LogSource } from "../read-model/log-source.ts";

/** A log in memory, for tests: what `append` adds reaches every follower. */
export class MemoryLogSource implements LogSource {
  readonly logId: string;
  readonly #events: RecordedEvent[];
  readonly #wakes = new Set<() => void>();

  constructor(events: readonly RecordedEvent[] = [], logId = "L") {
    this.#events = [...events];
    this.logId = logId;
  }

  append(...events: RecordedEvent[]): void {
    this.#events.push(...events);
    for (const wake of this.#wakes) wake();
  }

  readAfter = async (position: number, limit: number) => this.#events.slice(position, position + limit);
  readCommand = async (commandId: string) => this.#events.filter((event) => event.commandId === commandId);
  positionAtWall = async (wallUs: number) => this.#events.findLast((e) => e.wallUs <= wallUs)?.position ?? 0;
  newestPosition = async () => this.#events.length;

  follow = async (after: number, onBatch: (events: readonly RecordedEvent[]) => unknown, signal: AbortSignal) => {
    let position = after;
    while (!signal.aborted) {
      const batch = this.#events.slice(position, position + 500);
      if (batch.length > 0) {
        await onBatch(batch);
        position += batch.length;
        continue;
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#wakes.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#wakes.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    }
  };
}
