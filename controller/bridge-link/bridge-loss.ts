import { boxStream, type FleetConfig } from "@servofleet/contracts";
import type { Logger } from "../controller-parts.ts";
import { type Axis, isDispatched, isDriving } from "../domain/axis-state.ts";
import { decideUnread } from "../domain/state-change.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { Journal } from "../inbox/journal.ts";
import type { ReportDesk } from "../inbox/report-desk.ts";
import type { StopLane } from "../stop/stop-lane.ts";

export interface BridgeLossParts {
  readonly config: FleetConfig;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly stopLane: StopLane;
  readonly reportDesk: ReportDesk;
  readonly logger: Logger;
}

/** Whether the axis moves, or has been told to: nobody watches it any more. */
const mayMove = (axis: Axis): boolean =>
  axis.moving || axis.open.values().some((command) => isDriving(command.type) && isDispatched(command));

/**
 * The bridge is gone: nothing it read is known any more, and the successor's first word is a stop for whatever was moving
 * (unless its policy for a restart is to be observed).
 */
export function bridgeLost(
  reason: string,
  { config, book, journal, stopLane, reportDesk, logger }: BridgeLossParts,
): void {
  logger.error({ reason }, "the firmware bridge is lost");
  book.forgetReadings();
  const unwatched = book.ids.filter((id) => {
    const axis = book.current(id);
    return mayMove(axis) && axis.config.onRestartMoving === "stop";
  });
  if (unwatched.length > 0) stopLane.raise({ name: "axis", axes: unwatched }, "restart-recovery", "controller");
  const words = `the bridge is lost: ${reason}`;
  journal
    .record([
      { stream: boxStream(config.box), events: [{ type: "BridgeLost", data: { reason } }] },
      ...reportDesk.linksUnwatched(words),
      ...book.ids.map((axis) => ({ axis, events: decideUnread(book.current(axis), words) })),
    ])
    .catch((error: unknown) => logger.error({ error }, "the loss of the bridge could not be recorded"));
}
