import {
  type AxisId,
  type Command,
  type ProblemFacts,
  type RecordedEvent,
  runStream,
  type TypedEvent,
  typed,
} from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { Clock } from "@servofleet/runtime/clock";
import type { Lease, LeaseBook } from "../authority/lease-book.ts";
import type { LeaseDesk } from "../authority/lease-desk.ts";
import type { Logger } from "../controller-parts.ts";
import type { DispatchTerms } from "../dispatch/dispatcher.ts";
import { decide, isRefusal, rejected } from "../domain/decide.ts";
import { refuse } from "../domain/refusal.ts";
import type { EventLog } from "../event-log/event-log.ts";
import type { Admission } from "../inbox/admission.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { Journal } from "../inbox/journal.ts";
import type { JournalEntry } from "../inbox/journal-entry.ts";
import type { StopLane } from "../stop/stop-lane.ts";
import { axisFacts, type SampledPosition } from "./axis-condition.ts";
import { decideRun, type RunInput } from "./decide-run.ts";
import { evolveRun } from "./evolve-run.ts";
import { LiveRun } from "./live-run.ts";
import { commandsOf } from "./run-command.ts";
import { newsOf } from "./run-news.ts";
import { isEnded, type Run, type RunEvent } from "./run-state.ts";

export interface RunEngineParts {
  readonly log: EventLog;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly admission: Admission;
  readonly leases: LeaseBook;
  readonly leaseDesk: LeaseDesk;
  readonly stopLane: StopLane;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly shuttingDown: () => boolean;
  readonly dispatch: (command: Command, deadlineMs: number, terms: DispatchTerms) => void;
}

/** Inputs of one run that may wait while one is decided. */
const INPUTS_MAX = 256;

/** A command of a batch, decided. */
interface Ordered {
  readonly command: Command;
  readonly terms: DispatchTerms;
}

/**
 * Runs as they go: news in, decisions out. Whatever a decision sends is in the same append as the decision; what the log
 * does not take is not sent, and a run that cannot be recorded is stopped.
 */
export class RunEngine {
  readonly #parts: RunEngineParts;
  readonly #runs = new Map<string, LiveRun>();
  readonly #sampled = new Map<string, SampledPosition>();
  #closed = false;

  constructor(parts: RunEngineParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#runs.size;
  }

  get(runId: string): Run | undefined {
    return this.#runs.get(runId)?.current;
  }

  /** Resolves when its start, and its first steps with their commands, are on disk. Rejects with LogError. */
  begin(started: Extract<RunEvent, { type: "RunStarted" }>, lease: Lease): Promise<readonly RecordedEvent[]> {
    const run = evolveRun(undefined, started);
    const live = this.#adopt(run);
    this.#hold(live, lease);
    const decided = decideRun(run, { type: "begin" }, this.#parts.clock.wallUs());
    const events = [started, ...("refused" in decided ? [] : decided)];
    return this.#alone(live, () => this.#take(live, events, run));
  }

  /** A run of a former life that waits for a person. */
  keep(run: Run): void {
    this.#adopt(run).armLeft();
  }

  /** Control over the axes of a run, renewed as long as it lives. False when it has ended meanwhile. */
  hold(runId: string, lease: Lease): boolean {
    const live = this.#runs.get(runId);
    if (live) this.#hold(live, lease);
    return live !== undefined;
  }

  /** Null for a run of a former life until a person resumes it. */
  lease(runId: string): Pick<Lease, "id" | "token"> | null {
    return this.#runs.get(runId)?.lease ?? null;
  }

  /** A person's word: the run with that on disk, or why not. Undefined when no such run lives. Rejects with LogError. */
  async person(runId: string, input: RunInput): Promise<Run | ProblemFacts | undefined> {
    const live = this.#runs.get(runId);
    if (!live) return undefined;
    const decided = decideRun(live.current, input, this.#parts.clock.wallUs());
    if ("refused" in decided) return decided.problem;
    await this.#alone(live, () => this.#take(live, decided));
    return live.committed;
  }

  /** Stops count for runs before they are on disk. */
  decided(entries: readonly JournalEntry[]): void {
    if (this.#runs.size === 0) return;
    for (const entry of entries) {
      if (!("axis" in entry)) continue;
      for (const { event } of entry.events) {
        if (event.type !== "StopLatched") continue;
        for (const live of this.#of(entry.axis))
          this.#give(live, { type: "stop", axis: entry.axis, by: event.data.reason });
      }
    }
  }

  /** Give it everything that reaches the disk. */
  recorded(events: readonly RecordedEvent[]): void {
    if (this.#runs.size === 0) return;
    for (const recorded of events) this.#heard(typed(recorded));
  }

  /** Positions while somebody waits for one. */
  sampled(axis: AxisId, position: SampledPosition): void {
    for (const live of this.#runs.values()) {
      if (!live.watched().includes(axis)) continue;
      this.#sampled.set(axis, position);
      this.#look(live);
    }
  }

  close(): void {
    this.#closed = true;
    for (const live of this.#runs.values()) live.release();
  }

  #adopt(run: Run): LiveRun {
    const live = new LiveRun(run, this.#parts.clock, (of, token) => this.#give(of, { type: "timer", token }));
    this.#runs.set(run.runId, live);
    return live;
  }

  #hold(live: LiveRun, lease: Lease): void {
    live.hold(lease, () => void this.#parts.leaseDesk.renew(lease.id, lease.token));
  }

  #of(axis: string): readonly LiveRun[] {
    return [...this.#runs.values()].filter(({ current }) => current.axes.includes(axis));
  }

  #heard(event: TypedEvent): void {
    for (const live of [...this.#runs.values()]) {
      const news = newsOf(event, live.current);
      // The log writes again: what it refused is over with the stop that came in its place.
      if (live.stuck && news.some(({ type }) => type === "stop")) this.#unstick(live);
      for (const input of news) this.#give(live, input);
      if (live.watched().some((axis) => event.stream === `axis-${axis}`)) this.#look(live);
    }
  }

  /** What fired meanwhile was lost with what it brought about: it fires again. */
  #unstick(live: LiveRun): void {
    live.stuck = false;
    live.armLeft();
  }

  #look(live: LiveRun): void {
    const { book } = this.#parts;
    const facts = new Map(
      live
        .watched()
        .flatMap((axis) =>
          book.has(axis)
            ? [[axis, axisFacts(book.committed(axis), book.reading(axis), this.#sampled.get(axis))] as const]
            : [],
        ),
    );
    if (facts.size > 0) this.#give(live, { type: "look", facts });
  }

  /** A shutdown brings the axes to rest by their own policies; the next life ends the run. */
  #give(live: LiveRun, input: RunInput): void {
    if (this.#closed || live.stuck || this.#parts.shuttingDown()) return;
    assert(live.inputs.length < INPUTS_MAX, `run ${live.current.runId} brings itself more news than it can decide`);
    live.inputs.push(input);
    if (!live.deciding) this.#alone(live, () => undefined);
  }

  /** One decision after the other: one may itself bring news (a stop it asked for), which is decided when it is written. */
  #alone<T>(live: LiveRun, first: () => T): T {
    assert(!live.deciding, `run ${live.current.runId} is decided twice at once`);
    live.deciding = true;
    const result = first();
    for (let next = live.inputs.shift(); next; next = live.inputs.shift()) {
      const decided = decideRun(live.current, next, this.#parts.clock.wallUs());
      if (!("refused" in decided)) this.#take(live, decided).catch(() => undefined);
    }
    live.deciding = false;
    return result;
  }

  /** Decided: stops to the wire, the rest into the log in one append, and then what that allows. */
  #take(live: LiveRun, events: readonly RunEvent[], from?: Run): Promise<readonly RecordedEvent[]> {
    if (events.length === 0) return Promise.resolve([]);
    const { journal, stopLane, clock, logger } = this.#parts;
    const before = from === undefined ? events : events.slice(1);
    live.decided(before);
    const { runId, principal } = live.current;
    for (const event of events) {
      if (event.type !== "RunStopAsked") continue;
      logger.warn({ runId, ...event.data }, "a run asks for a stop");
      stopLane.raise({ name: `run:${runId}`, axes: event.data.axes as AxisId[] }, "program", `run:${runId}`);
    }
    const ordered: Ordered[] = [];
    const entries = commandsOf(live.current, events, clock.monotonicMs()).map((command) =>
      this.#entry(live, command, ordered),
    );
    const firstId = from === undefined ? {} : { firstId: runId };
    const own: JournalEntry = {
      stream: runStream(runId),
      events,
      origin: { actor: principal },
      correlationId: runId,
      ...firstId,
    };
    const recorded = journal.record([own, ...entries]);
    return recorded.then(
      (rows) => {
        live.recorded(before);
        this.#onDisk(live, events, ordered);
        return rows;
      },
      (error: unknown) => {
        this.#lost(live, error, from !== undefined);
        throw error;
      },
    );
  }

  /** Decided as any command is; a refusal is recorded as its one end. */
  #entry(live: LiveRun, command: Command, ordered: Ordered[]): JournalEntry {
    const { book, leases, admission } = this.#parts;
    const { axis, request } = command;
    const { runId } = live.current;
    const control = leases.control(axis, request.type, live.lease?.token);
    const kept = admission.toCommand(axis) ?? ("slug" in control ? control : null);
    const outcome = kept ? refuse(kept) : decide(command, book.current(axis), book.reading(axis));
    const origin = { actor: command.principal };
    if (isRefusal(outcome)) return { axis, events: [{ ...rejected(command, outcome), causationId: runId }], origin };
    const terms = { leaseSequence: leases.sequence(axis) };
    ordered.push({ command, terms });
    return { axis, events: outcome.map((event) => ({ causationId: runId, ...event })), origin };
  }

  #onDisk(live: LiveRun, events: readonly RunEvent[], ordered: readonly Ordered[]): void {
    for (const { command, terms } of ordered)
      this.#parts.dispatch(command, command.receivedAtMs + command.ttlMs, terms);
    if (isEnded(live.committed)) this.#end(live);
    else if (events.some((event) => event.type === "RunStepStarted" && event.data.kind === "wait")) this.#look(live);
  }

  #end(live: LiveRun): void {
    const { leaseDesk, logger } = this.#parts;
    const { runId, state } = live.committed;
    live.release();
    this.#runs.delete(runId);
    logger.info({ runId, state }, "a run has ended");
    const { lease } = live;
    if (lease)
      leaseDesk
        .giveBack(lease.id, lease.token)
        .catch((error: unknown) => logger.error({ error }, "a lease could not be returned"));
  }

  /** Nothing of it counts that is not in the log. What runs is stopped: a stop needs no log. */
  #lost(live: LiveRun, error: unknown, atStart: boolean): void {
    const { logger, stopLane } = this.#parts;
    live.current = live.committed;
    const { runId, axes } = live.committed;
    if (atStart) this.#end(live);
    if (atStart || live.stuck) return;
    live.stuck = true;
    logger.error({ error, runId }, "a run could not be recorded: its axes are stopped");
    stopLane.raise({ name: `run:${runId}`, axes: axes as AxisId[] }, "program", `run:${runId}`);
  }
}
