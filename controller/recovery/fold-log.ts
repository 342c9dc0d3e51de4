import { type AxisId, axisStream, boxStream, type FleetConfig, streamSubject, typed } from "@servofleet/contracts";
import { evolveRecorded } from "../domain/evolve.ts";
import type { EventLog } from "../event-log/event-log.ts";
import type { AxisBook } from "../inbox/axis-book.ts";

const PAGE = 1000;

/** What the log tells at a start beside the axes. */
export interface FormerLife {
  /** As last recorded; null in a new log. */
  readonly config: unknown;
  readonly linkUp: ReadonlyMap<string, boolean>;
}

/** Reads the whole log, page by page, into the book. */
export async function foldLog(log: EventLog, book: AxisBook, config: FleetConfig): Promise<FormerLife> {
  const streams = new Map<string, AxisId>(book.ids.map((id) => [axisStream(id), id]));
  const box = boxStream(config.box);
  const linkUp = new Map<string, boolean>();
  let found: unknown = null;
  for (let after = 0; ; ) {
    const page = await log.read(after, PAGE);
    for (const recorded of page) {
      const event = typed(recorded);
      const axis = streams.get(event.stream);
      if (axis !== undefined) {
        const folded = evolveRecorded(book.committed(axis), recorded);
        book.recorded(folded);
        book.decided(folded);
      } else if (event.type === "FleetConfigured" && event.stream === box) found = event.data.config;
      else if (event.type === "LinkWentUp") linkUp.set(streamSubject(event.stream), true);
      else if (event.type === "LinkWentDown") linkUp.set(streamSubject(event.stream), false);
    }
    const last = page.at(-1);
    if (!last) return { config: found, linkUp };
    after = last.position;
  }
}
