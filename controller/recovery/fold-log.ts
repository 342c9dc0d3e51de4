import type { FleetConfig } from "@servofleet/contracts";
import type { EventLog } from "../event-log/event-log.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import { ProgramShelf } from "../programs/program-shelf.ts";
import { foldFingerprint, LogFold } from "./log-fold.ts";

const PAGE = 1000;

/** What the log tells at a start beside the axes. */
export interface FormerLife {
  /** As last recorded; null in a new log. */
  readonly config: unknown;
  readonly linkUp: ReadonlyMap<string, boolean>;
  readonly shelf: ProgramShelf;
}

/** Folds the log into the book, page by page, from the snapshot on when there is one that can be trusted. */
export async function foldLog(log: EventLog, book: AxisBook, config: FleetConfig): Promise<FormerLife> {
  const fingerprint = log.snapshots ? foldFingerprint(config) : "";
  const snapshot = await log.snapshots?.load(fingerprint);
  const fold = new LogFold(config, snapshot?.text);
  let position = snapshot?.position ?? 0;
  for (;;) {
    const page = await log.read(position, PAGE);
    fold.take(page);
    const last = page.at(-1);
    if (!last) break;
    position = last.position;
  }
  for (const axis of fold.axes) {
    book.recorded(axis);
    book.decided(axis);
  }
  const former = { config: fold.found, linkUp: new Map(fold.linkUp), shelf: new ProgramShelf(fold.shelf.text()) };
  // From here on the fold is the snapshot's own: it follows the log at its own pace.
  log.snapshots?.keep(fold, position, fingerprint);
  return former;
}
