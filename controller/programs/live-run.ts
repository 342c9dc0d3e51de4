import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { Lease } from "../authority/lease-book.ts";
import type { RunInput } from "./decide-run.ts";
import { evolveRun } from "./evolve-run.ts";
import { runningSteps } from "./run-halting.ts";
import type { Run, RunEvent } from "./run-state.ts";

/** A run in memory: how it stands, its control over its axes, its timers. Decides nothing. */
export class LiveRun {
  /** As the log has it. */
  committed: Run;
  /** With what is on its way into the log. */
  current: Run;
  readonly inputs: RunInput[] = [];
  deciding = false;
  /** The log refused an event of this run: it was stopped, and goes on when the log has that. */
  stuck = false;
  lease: Pick<Lease, "id" | "token"> | null = null;
  readonly #clock: Clock;
  readonly #fired: (token: string) => void;
  readonly #timers = new Map<string, Timer>();
  #renewal: Timer | undefined;

  constructor(run: Run, clock: Clock, fired: (live: LiveRun, token: string) => void) {
    this.committed = run;
    this.current = run;
    this.#clock = clock;
    this.#fired = (token) => fired(this, token);
  }

  /** Control, renewed at a third of its time as long as the run lives. */
  hold(lease: Lease, renew: () => void): void {
    this.lease = lease;
    this.#renewal?.cancel();
    this.#renewal = this.#clock.every(lease.ttlMs / 3, renew);
  }

  /** Decided; the timers follow. */
  decided(events: readonly RunEvent[]): void {
    this.current = events.reduce<Run>(evolveRun, this.current);
    for (const event of events) if (event.type === "RunTimerSet") this.arm(event.data.token, event.data.afterMs);
    for (const [token, timer] of [...this.#timers]) {
      if (this.current.timers.has(token)) continue;
      timer.cancel();
      this.#timers.delete(token);
    }
  }

  recorded(events: readonly RunEvent[]): void {
    this.committed = events.reduce<Run>(evolveRun, this.committed);
  }

  arm(token: string, afterMs: number): void {
    this.#timers.get(token)?.cancel();
    const fire = (): void => {
      this.#timers.delete(token);
      this.#fired(token);
    };
    this.#timers.set(token, this.#clock.after(afterMs, fire, true));
  }

  /** Timers of a former life, or of lost decisions: what is overdue fires once, now. `dueAt` is wall time, the only one two lives share. */
  armLeft(): void {
    const nowMs = this.#clock.wallUs() / 1000;
    for (const [token, { dueAt, afterMs }] of this.current.timers)
      this.arm(token, Math.max(1, Math.min(Date.parse(dueAt) - nowMs, afterMs)));
  }

  /** Axes that running steps wait for. */
  watched(): readonly string[] {
    return runningSteps(this.current).flatMap(([step]) => {
      const spec = this.current.plan.leaves.get(step)?.spec;
      return spec?.kind === "wait" ? [spec.until.axis] : [];
    });
  }

  release(): void {
    this.#renewal?.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
