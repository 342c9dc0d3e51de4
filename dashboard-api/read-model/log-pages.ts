import type { RecordedEvent } from "@servofleet/contracts";
import { type LogSource, PAGE_EVENTS } from "./log-source.ts";

/**
 * The log after `after` page by page, to `until` or to its end. The next page is read while the caller works on this
 * one. The last page may be empty; a shorter one than PAGE_EVENTS is the last.
 */
export async function* logPages(
  log: LogSource,
  after: number,
  until = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly RecordedEvent[]> {
  const read = (from: number) => log.readAfter(from, Math.min(PAGE_EVENTS, until - from));
  let from = after;
  let next = from < until ? read(from) : Promise.resolve([]);
  for (;;) {
    const page = await next;
    from += page.length;
    const last = page.length < PAGE_EVENTS || from >= until;
    if (!last) {
      next = read(from);
      // The caller may stop here and never ask for it.
      next.catch(() => undefined);
    }
    yield page;
    if (last) return;
  }
}
