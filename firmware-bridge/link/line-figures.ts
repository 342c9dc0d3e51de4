import type { LinkId, LinkStats } from "@servofleet/contracts";
import { type LineCost, plannedLoad, stopBoundMs } from "./bus-cost.ts";
import type { LinkParts } from "./line-parts.ts";
import type { LineTally } from "./line-tally.ts";
import type { PollStretch } from "./poll-pace.ts";
import type { UnitPage } from "./unit-book.ts";
import { breakerState, learnedTurnaroundUs } from "./unit-health.ts";

/** What the figures of a line are made from. */
export interface FigureParts {
  readonly link: LinkId;
  readonly atUs: number;
  readonly nowMs: number;
  readonly cost: LineCost;
  readonly tally: LineTally;
  readonly plan: Pick<LinkParts, "polls" | "inFlight" | "stop">;
  readonly pages: readonly UnitPage[];
  /** Axes of the line: the last of them waits for the stops of all others. */
  readonly axes: number;
  readonly pollStretch: PollStretch;
}

/** The figures of a line since the last look: planned ones priced with what each unit has shown. */
export function lineFigures({
  link,
  atUs,
  nowMs,
  cost,
  tally,
  plan,
  pages,
  axes,
  pollStretch,
}: FigureParts): LinkStats {
  const learned = new Map(pages.map(({ unit, health }) => [unit, learnedTurnaroundUs(health)]));
  // The bound must hold: a drive that was quick so far gets no credit, a slow one is believed.
  const slowestUs = Math.max(cost.turnaroundUs, ...[...learned.values()].map((us) => us ?? 0));
  const polls = plan.polls ?? [];
  const inFlight = plan.inFlight ?? (polls.length > 0 ? polls.map((poll) => poll.request) : undefined);
  return {
    link,
    atUs,
    ...tally.take(),
    plannedLoad: plannedLoad(polls, cost, (unit) => (unit === undefined ? undefined : learned.get(unit))),
    stopBoundMs: stopBoundMs({ ...cost, turnaroundUs: slowestUs }, Math.max(0, axes - 1), inFlight, plan.stop),
    pollStretch,
    errors: { ...tally.errors },
    units: pages.map(({ unit, axis, health }) => ({
      unit,
      axis,
      breaker: breakerState(health, nowMs),
      lastReplyAtUs: health.lastReplyAtUs,
    })),
  };
}
