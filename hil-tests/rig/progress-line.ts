import type { Clock } from "@servofleet/runtime/clock";
import type { PlannedRun } from "./rig-plan.ts";
import { type Outcome, type ScenarioResult, secondsBetween } from "./rig-result.ts";
import type { RigProgress } from "./run-rig.ts";

/** Where progress goes: a terminal gets one line that is written over, anything else a plain line per result. */
export interface ProgressOutlet {
  readonly terminal: boolean;
  readonly columns: number;
  write(text: string): void;
}

const REDRAW_MS = 200;
const CLEAR = "\r\u001b[K";
const WORD: Readonly<Record<Outcome, string>> = {
  passed: "passed ",
  failed: "FAILED ",
  skipped: "skipped",
  refused: "refused",
};

/** Tells what runs now and how far it is. `end` clears the line. */
export function progressLine(outlet: ProgressOutlet, clock: Clock): RigProgress & { end(): void } {
  const running = new Set<PlannedRun>();
  const done = { total: 0, ended: 0, failed: 0 };
  const startedMs = clock.monotonicMs();
  let phase = "reading";
  const draw = () =>
    outlet.write(
      `${CLEAR}${lineOf(running, done, phase, clock.monotonicMs() - startedMs).slice(0, outlet.columns - 1)}`,
    );
  const timer = outlet.terminal ? clock.every(REDRAW_MS, draw) : undefined;
  const say = (text: string) => {
    outlet.write(`${outlet.terminal ? CLEAR : ""}${text}\n`);
    if (outlet.terminal) draw();
  };
  return {
    planned(runs) {
      done.total = runs.filter(({ verdict }) => verdict === "run").length;
      const apart = runs.length - done.total;
      say(`${done.total} scenarios to run${apart > 0 ? `, ${apart} that this rig cannot or may not run` : ""}`);
    },
    started: (run) => void running.add(run),
    ended(result) {
      for (const run of running)
        if (run.scenario.name === result.scenario && run.profile === result.profile) running.delete(run);
      if (result.outcome === "passed" || result.outcome === "failed") done.ended += 1;
      if (result.outcome === "failed") done.failed += 1;
      // On a terminal what is skipped would scroll away what matters; the summary and the report have it.
      if (result.outcome !== "skipped" || !outlet.terminal) say(resultLine(result));
    },
    phase(words) {
      phase = words;
      if (!outlet.terminal) say(`${words} ...`);
    },
    end() {
      timer?.cancel();
      if (outlet.terminal) outlet.write(CLEAR);
    },
  };
}

/** One result as one line. */
export function resultLine({ outcome, scenario, axes, profile, reason, fromUs, toUs }: ScenarioResult): string {
  const where = axes.length > 0 ? axes.join(" and ") : profile;
  const time = toUs > fromUs ? ` ${secondsBetween(fromUs, toUs).toFixed(1)} s` : "";
  return `${WORD[outcome]} ${where}: ${scenario}${time}${reason ? `\n        ${reason.split("\n")[0]}` : ""}`;
}

function lineOf(
  running: ReadonlySet<PlannedRun>,
  done: { total: number; ended: number; failed: number },
  phase: string,
  elapsedMs: number,
): string {
  const now = [...running].map(({ scenario, axes }) => `${axes.a?.id ?? "?"} ${scenario.name}`).join(", ");
  const filled = done.total === 0 ? 0 : Math.round((BAR * done.ended) / done.total);
  const bar = "#".repeat(filled) + "-".repeat(BAR - filled);
  const failed = done.failed > 0 ? `, ${done.failed} failed` : "";
  return `[${bar}] ${done.ended}/${done.total}${failed} ${Math.round(elapsedMs / 1000)} s  ${now || phase}`;
}
const BAR = 20;
