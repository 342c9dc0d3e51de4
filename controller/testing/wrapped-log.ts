import type { RecordedEvent } from "@servofleet/contracts";
import type { AppendOptions, EventLog, NewEvent } from "../event-log/event-log.ts";

/** A real log in other hands: a test that extends it decides what becomes of an append, everything else is the log's own. */
export abstract class WrappedLog implements EventLog {
  protected readonly log: EventLog;

  constructor(log: EventLog) {
    this.log = log;
  }

  get logId() {
    return this.log.logId;
  }
  get epoch() {
    return this.log.epoch;
  }
  get boot() {
    return this.log.boot;
  }
  get position() {
    return this.log.position;
  }
  get trouble() {
    return this.log.trouble;
  }

  abstract append(events: readonly NewEvent[], options?: AppendOptions): Promise<readonly RecordedEvent[]>;

  findById = (id: string) => this.log.findById(id);
  read = (after: number, limit: number) => this.log.read(after, limit);
  readStream: EventLog["readStream"] = (stream, after, limit) => this.log.readStream(stream, after, limit);
  readCommand = (id: string) => this.log.readCommand(id);
  close = () => this.log.close();
}
