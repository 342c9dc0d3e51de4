import {
  type AxisId,
  boxStream,
  type FleetConfig,
  linkStream,
  type Report,
  type ReportMessage,
} from "@servofleet/contracts";
import { decideReport } from "../domain/decide-report.ts";
import type { Recovery } from "../recovery/recovery.ts";
import type { StopLane } from "../stop/stop-lane.ts";
import type { AxisBook } from "./axis-book.ts";
import type { Journal } from "./journal.ts";
import type { JournalEntry } from "./journal-entry.ts";

export interface ReportDeskParts {
  readonly config: FleetConfig;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly stopLane: StopLane;
  readonly recovery: Recovery;
  /** The bridge has said what its drives can do. */
  readonly onReady: (bridgeBoot: string) => void;
}

type LinkReport = Extract<Report, { type: "link-status" }>;

/** Turns a report into recorded facts, and tells those who wait for it. */
export class ReportDesk {
  readonly #parts: ReportDeskParts;
  readonly #linkUp = new Map<string, boolean>();
  #bridgeBoot: string | undefined;

  constructor(parts: ReportDeskParts) {
    this.#parts = parts;
  }

  handle({ bridgeBoot, report }: ReportMessage): Promise<unknown> {
    const axis = report.type === "axis-status" ? report.status.axis : "axis" in report ? report.axis : null;
    if (axis !== null) {
      // Another configuration's axis: the bridge was started with it and will be replaced.
      if (!this.#parts.book.has(axis)) return Promise.resolve();
      this.#parts.book.read(axis, report);
    }
    switch (report.type) {
      case "bridge-ready":
        return this.#ready(bridgeBoot, report);
      case "link-status":
        return this.#link(report);
      case "axis-status":
        return this.#status(report);
      case "settled":
        return this.#parts.recovery.settled(report);
      case "stop-result":
        // Who waits for a stop hears of it at once; the log may be slow.
        this.#parts.stopLane.heard(report);
        return this.#decide(report, report.axis);
      default:
        return this.#decide(report, report.axis);
    }
  }

  /** A link's state of the log, from before the start. */
  rememberLink(link: string, up: boolean): void {
    this.#linkUp.set(link, up);
  }

  /** Nobody watches the links any more: those that were up are down until a bridge says otherwise. To be recorded. */
  linksUnwatched(reason: string): JournalEntry[] {
    const up = this.#parts.config.links.filter(({ id }) => this.#linkUp.get(id) === true);
    return up.map(({ id }): JournalEntry => {
      this.#linkUp.set(id, false);
      return { stream: linkStream(id), events: [{ type: "LinkWentDown", data: { reason: reason.slice(0, 500) } }] };
    });
  }

  #decide(report: Report, axis: AxisId): Promise<unknown> {
    const { book, journal } = this.#parts;
    return journal.record([{ axis, events: decideReport(report, book.current(axis)) }]);
  }

  #status(report: Extract<Report, { type: "axis-status" }>): Promise<unknown> {
    const { status } = report;
    return this.#parts.recovery.status(status) ?? this.#decide(report, status.axis);
  }

  #ready(bridgeBoot: string, report: Extract<Report, { type: "bridge-ready" }>): Promise<unknown> {
    const { config, book, journal } = this.#parts;
    // Every `describe` is answered by it; a bridge starts only once.
    const first = this.#bridgeBoot !== bridgeBoot;
    this.#bridgeBoot = bridgeBoot;
    const started: JournalEntry = {
      stream: boxStream(config.box),
      events: first ? [{ type: "BridgeStarted", data: { bridgeBoot } }] : [],
    };
    const abilities = book.ids.map((axis) => ({ axis, events: decideReport(report, book.current(axis)) }));
    const recorded = journal.record([started, ...abilities]).catch((error: unknown) => {
      // Not on disk: the repeated report has to count as news again.
      if (first) this.#bridgeBoot = undefined;
      throw error;
    });
    this.#parts.onReady(bridgeBoot);
    return recorded;
  }

  #link({ link, up, reason }: LinkReport): Promise<unknown> {
    if (this.#linkUp.get(link) === up || !this.#parts.config.links.some(({ id }) => id === link)) {
      return Promise.resolve();
    }
    this.#linkUp.set(link, up);
    const entry: JournalEntry = {
      stream: linkStream(link),
      events: [
        up
          ? { type: "LinkWentUp", data: {} }
          : { type: "LinkWentDown", data: { reason: (reason ?? "no reason given").slice(0, 500) } },
      ],
    };
    return this.#parts.journal.record([entry]).catch((error: unknown) => {
      // Not on disk: the repeated report has to count as news again.
      this.#linkUp.delete(link);
      throw error;
    });
  }
}
