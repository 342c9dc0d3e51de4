import type { Job } from "./line-job.ts";
import type { LineLanes } from "./line-lanes.ts";
import type { LineSchedule } from "./line-schedule.ts";
import type { LineTurn } from "./line-turn.ts";
import type { UnitBook } from "./unit-book.ts";

/** Who speaks next: an overdue probe where nobody is in a hurry, the schedule's choice, or a probe in spare time. */
export function nextJob(
  schedule: LineSchedule<Job>,
  book: UnitBook,
  nowMs: number,
  turn: Pick<LineTurn, "probeJob">,
  lanes: Pick<LineLanes, "mayJoin">,
): Job | undefined {
  const urgent = (["stop", "command", "confirm"] as const).some((name) => schedule.waiting(name) > 0);
  const patient = urgent ? undefined : book.dueProbe(nowMs, true);
  if (patient) return turn.probeJob(patient);
  const job = schedule.take(
    (waiting) => {
      if (!lanes.mayJoin(waiting)) return false;
      if (waiting.class === "stop") return true;
      const page = book.page(waiting.unit);
      if (nowMs < page.health.quarantineUntilMs) return false;
      return waiting.class !== "probe" || book.mayProbe(page, nowMs);
    },
    // Who is known to be silent comes last: it must not hold up the stop of a drive that listens. For anything else that
    // would be starving: on a full line one lost answer would end the polls of its drive.
    (waiting) => (waiting.class === "stop" && book.page(waiting.unit).health.timeoutsInRow > 0 ? 1 : 0),
  );
  if (job) return job;
  const probe = book.dueProbe(nowMs, false);
  return probe && turn.probeJob(probe);
}
