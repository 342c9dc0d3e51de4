import { type AxisId, boxStream, type FleetConfig, runStream } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import { recoverAtStart } from "../domain/recover.ts";
import type { EventLog } from "../event-log/event-log.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import { canonicalJson } from "../inbox/fingerprint.ts";
import type { Journal } from "../inbox/journal.ts";
import type { JournalEntry } from "../inbox/journal-entry.ts";
import { decideRestart } from "../programs/decide-run.ts";
import type { FormerLife } from "./fold-log.ts";
import type { ToSettle } from "./recovery.ts";

export interface StartParts {
  readonly config: FleetConfig;
  readonly version: string;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly book: AxisBook;
  readonly journal: Journal;
}

/**
 * The first records of a life: that it began, with which configuration, and what the end of the former one means for each
 * axis. Answers what has to be settled by reading; `recorded` rejects when the log cannot take it yet.
 */
export function recordStart(
  { config, version, clock, log, book, journal }: StartParts,
  former: FormerLife,
): { readonly toSettle: ReadonlyMap<AxisId, readonly ToSettle[]>; readonly recorded: Promise<unknown> } {
  const { epoch, boot } = log;
  const changed = canonicalJson(former.config) !== canonicalJson(config);
  const started: JournalEntry = {
    stream: boxStream(config.box),
    events: [
      { type: "BoxStarted", data: { epoch, boot, version } },
      ...(changed ? [{ type: "FleetConfigured", data: { config } } as const] : []),
    ],
  };
  const found = book.ids.map((axis) => ({ axis, ...recoverAtStart(book.current(axis)) }));
  const runs = former.shelf.runs().map((run): JournalEntry => {
    const { runId, axes } = run;
    const events = decideRestart(
      run,
      clock.wallUs(),
      axes.every((axis) => book.has(axis)),
    );
    return { stream: runStream(runId), events, correlationId: runId };
  });
  const recorded = journal.record([started, ...found, ...runs]);
  return { toSettle: new Map(found.map(({ axis, settle }) => [axis, settle])), recorded };
}
