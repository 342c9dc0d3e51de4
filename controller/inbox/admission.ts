import type { AxisId, ProblemFacts } from "@servofleet/contracts";
import type { EventLog } from "../event-log/event-log.ts";
import type { AxisBook } from "./axis-book.ts";
import type { Journal } from "./journal.ts";

/** Commands of one axis that have not ended. */
export const OPEN_PER_AXIS_MAX = 64;
/** Commands of all axes that wait for their dispatch. */
export const WAITING_MAX = 4096;

export interface AdmissionParts {
  readonly log: EventLog;
  readonly book: AxisBook;
  readonly journal: Journal;
  /** Commands that wait for their dispatch. */
  readonly waiting: () => number;
  readonly shuttingDown: () => boolean;
  /** The axis is still being read after a start or a change of bridge. */
  readonly beingRead: (axis: AxisId) => boolean;
}

/** Whether the house can take a wish at all, before anything is decided. Stops never ask. */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Why nothing can be recorded now: shutting down or no log. */
  toRecord(): ProblemFacts | null {
    const { log, journal, shuttingDown } = this.#parts;
    if (shuttingDown()) {
      return {
        slug: "shutting-down",
        detail: "the controller is shutting down; only stops are taken",
        remedy: "ask again after its restart",
      };
    }
    if (log.trouble !== null) return logUnavailable(log.trouble);
    if (journal.full) return queueFull("the event log has more to write than it may hold back");
    return null;
  }

  /** Why no command for this axis can be taken now. */
  toCommand(axis: AxisId): ProblemFacts | null {
    const { book, waiting, beingRead } = this.#parts;
    const recordable = this.toRecord();
    if (recordable) return recordable;
    if (beingRead(axis)) {
      return {
        slug: "service-unavailable",
        detail: `axis ${axis} is being read after a start; only stops are taken until then`,
        remedy: "ask again in a second",
      };
    }
    if (book.current(axis).open.size >= OPEN_PER_AXIS_MAX) {
      return queueFull(`axis ${axis} has ${OPEN_PER_AXIS_MAX} commands that have not ended`);
    }
    if (waiting() >= WAITING_MAX) return queueFull(`${WAITING_MAX} commands wait to be sent`);
    return null;
  }
}

const queueFull = (detail: string): ProblemFacts => ({
  slug: "queue-full",
  detail,
  remedy: "wait until some have ended, then ask again",
});

/** The log cannot take it now. `code` as the log says it. */
export const logUnavailable = (code: string): ProblemFacts => ({
  slug: "log-unavailable",
  detail: `nothing can be recorded (${code}), so nothing may move; stops work`,
  remedy:
    code === "log-full"
      ? "make room in the data directory; it goes on by itself"
      : "ask again with the same Idempotency-Key: if it was recorded after all, you get its answer",
});
