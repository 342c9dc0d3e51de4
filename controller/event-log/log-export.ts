import { type CloudEvent, type RecordedEvent, streamSubject, toCloudEvent } from "@servofleet/contracts";
import { LOG_PAGE_MAX } from "@servofleet/runtime/log-queries";
import type { LogReader } from "@servofleet/runtime/log-reader";
import { LogReaderError } from "@servofleet/runtime/log-reader-error";

/** Which events; both positions are exclusive below and inclusive above. */
export interface ExportRange {
  readonly after: number;
  readonly until: number;
}

/** The events of a log as CloudEvents, in order and without gap. Rejects with LogReaderError, SqliteError or UnreadableEvent. */
export async function* exportedEvents(log: LogReader, range: ExportRange): AsyncGenerator<CloudEvent> {
  const box = await boxOf(log);
  let position = range.after;
  while (position < range.until) {
    const page = await log.readAfter(position, Math.min(LOG_PAGE_MAX, range.until - position));
    if (page.length === 0) return;
    for (const event of page) {
      if (event.position !== position + 1) throw gap(position, event);
      position = event.position;
      yield toCloudEvent(event, box, log.logId);
    }
  }
}

/** Every controller writes to its box's stream before anything else. */
async function boxOf(log: LogReader): Promise<string> {
  const first = await log.readAfter(0, LOG_PAGE_MAX);
  const found = first.find(({ stream }) => stream.startsWith("box-"));
  return found ? streamSubject(found.stream) : log.logId.replace(/-[0-9a-f]{12}$/, "");
}

const gap = (after: number, { position }: RecordedEvent): LogReaderError =>
  new LogReaderError(
    "log-gap",
    { after, found: position },
    `position ${after + 1} is missing: run "servofleet log verify"`,
  );
