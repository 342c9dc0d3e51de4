import type { RecordedEvent } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import type { AppendOptions, LogError, NewEvent } from "../event-log/event-log.ts";
import { openEventLog } from "../event-log/open-event-log.ts";
import { WrappedLog } from "./wrapped-log.ts";

/** A log whose disk a test holds back: appends wait at the gate in their order. */
export class GatedLog extends WrappedLog {
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;
  /** Events that wait at the gate. */
  readonly waiting: NewEvent[] = [];
  /** While set, what every append is told instead of being written. */
  refuse: LogError | undefined;

  shut(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  /** Lets through what waits now and shuts again behind it. */
  step(): void {
    this.#open();
    this.shut();
  }

  async append(events: readonly NewEvent[], options?: AppendOptions): Promise<readonly RecordedEvent[]> {
    this.waiting.push(...events);
    await this.#gate;
    this.waiting.splice(0, events.length);
    if (this.refuse) throw this.refuse;
    return this.log.append(events, options);
  }
}

/** For a rig: opens its log behind a gate. */
export function gatedLog() {
  let log: GatedLog | undefined;
  const openLog = async (directory: string, clock: Clock, random: Random): Promise<GatedLog> => {
    log = new GatedLog(await openEventLog({ directory, clock, random, box: "test_box" }));
    return log;
  };
  return { openLog, log: () => log as GatedLog };
}
