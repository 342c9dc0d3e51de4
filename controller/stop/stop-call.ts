import type { AxisId, ProblemFacts, Report, StopResult } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";

/** How long a stop call waits for the axes and for the log. */
export const STOP_ANSWER_LIMIT_MS = 1000;

export interface AxisStopResult {
  readonly axis: AxisId;
  readonly result: StopResult;
  readonly problem: ProblemFacts | null;
}

export interface StopOutcome {
  readonly stopId: string;
  readonly axes: readonly AxisStopResult[];
  /** `StopLatched` of every axis is on disk. */
  readonly recorded: boolean;
  readonly complete: boolean;
}

type StopReport = Extract<Report, { type: "stop-result" }>;
interface Pending {
  readonly stopGeneration: number;
  result: StopResult;
  problem: ProblemFacts | null;
}

/** One stop that somebody waits for: per axis the newest result, until all are final or the limit has passed. */
export class StopCall {
  readonly stopId: string;
  readonly #axes: ReadonlyMap<AxisId, Pending>;
  readonly #answered: Promise<void>;
  #allAnswered: () => void = () => undefined;

  constructor(stopId: string, generations: ReadonlyMap<AxisId, number>) {
    this.stopId = stopId;
    this.#axes = new Map(
      [...generations].map(([axis, stopGeneration]) => [axis, { stopGeneration, result: "pending", problem: null }]),
    );
    this.#answered = new Promise((resolve) => {
      this.#allAnswered = resolve;
    });
  }

  /** A later stop of the same axis answers for this one too: its frame came after ours. */
  heard(report: StopReport): void {
    const pending = this.#axes.get(report.axis);
    if (!pending || report.stopGeneration < pending.stopGeneration || pending.result === "acknowledged") return;
    pending.result = report.result;
    pending.problem = report.problem;
    const final = this.#axes.values().every(({ result }) => result === "acknowledged" || result === "failed");
    if (final) this.#allAnswered();
  }

  /** Resolves when every axis and the log have answered, or at the limit with what is known then. */
  async outcome(recorded: Promise<boolean>, clock: Clock, bridgeHeard: boolean): Promise<StopOutcome> {
    let onDisk = false;
    const log = recorded.then((known) => {
      onDisk = known;
    });
    // Without a bridge nobody will answer: the stop stays pending and is the first thing the next one hears.
    const all = Promise.all([bridgeHeard ? this.#answered : Promise.resolve(), log]);
    await new Promise<void>((resolve) => {
      const limit = clock.after(STOP_ANSWER_LIMIT_MS, resolve, true);
      void all.then(() => {
        limit.cancel();
        resolve();
      });
    });
    const axes = [...this.#axes].map(([axis, { result, problem }]) => ({ axis, result, problem }));
    const complete = axes.every(({ result }) => result === "acknowledged");
    return { stopId: this.stopId, axes, recorded: onDisk, complete };
  }
}
