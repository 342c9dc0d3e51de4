import {
  boxStream,
  type DomainEvent,
  type FleetConfig,
  type ProblemFacts,
  type RecordedEvent,
  streamSubject,
  type Trigger,
  type TypedEvent,
  typed,
} from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { Logger } from "../controller-parts.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import { fingerprint } from "../inbox/fingerprint.ts";
import type { Journal } from "../inbox/journal.ts";
import type { JournalEntry } from "../inbox/journal-entry.ts";
import { axisFacts, holds } from "./axis-condition.ts";
import type { ProgramDesk } from "./program-desk.ts";
import type { RunDesk } from "./run-desk.ts";
import type { RunEngine } from "./run-engine.ts";

export interface TriggerDeskParts {
  readonly config: FleetConfig;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly programs: ProgramDesk;
  readonly runs: RunDesk;
  readonly engine: RunEngine;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Commands whose type is remembered while something is armed. */
const TYPES_MAX = 4096;

/**
 * Starts programs when something happens. Armed by a person, in memory alone: a restart disarms them all, and so does any
 * stop, a new definition of the program, and a start that was refused.
 */
export class TriggerDesk {
  readonly #parts: TriggerDeskParts;
  /** Program and the version that was armed. */
  readonly #armed = new Map<string, number>();
  /** What was asked: the event that a command succeeded does not say it. */
  readonly #types = new Map<string, string>();

  constructor(parts: TriggerDeskParts) {
    this.#parts = parts;
  }

  isArmed(program: string): boolean {
    return this.#armed.has(program);
  }

  /** Null when armed, and on disk. */
  async arm(program: string, principal: string): Promise<ProblemFacts | null> {
    const { programs, book } = this.#parts;
    const defined = programs.get(program);
    if (!defined || defined.program.triggers.length === 0) {
      const detail = `program ${program} has no triggers`;
      return { slug: "run-not-ready", detail, remedy: "add triggers to its document, or start it by hand" };
    }
    const latched = book.ids.find((id) => book.current(id).stopLatched);
    if (latched) {
      const detail = `a stop is latched on axis ${latched}: nothing may start by itself`;
      return { slug: "stop-latched", detail, remedy: "release it with Reset, then arm" };
    }
    const { version } = defined;
    this.#armed.set(program, version);
    try {
      await this.#record({ type: "TriggerArmed", data: { program, version, principal } }, principal);
      return null;
    } catch (error) {
      this.#armed.delete(program);
      throw error;
    }
  }

  async disarm(program: string, reason: string, actor: string): Promise<void> {
    if (!this.#armed.delete(program)) return;
    await this.#record({ type: "TriggerDisarmed", data: { program, reason: reason.slice(0, 500) } }, actor);
  }

  /** A stop disarms before it is on disk. */
  decided(entries: readonly JournalEntry[]): void {
    if (this.#armed.size === 0) return;
    for (const entry of entries) {
      if (!("axis" in entry)) continue;
      const stop = entry.events.find(({ event }) => event.type === "StopLatched")?.event;
      if (stop?.type === "StopLatched") this.#disarmAll(`a stop of axis ${entry.axis} (${stop.data.reason})`);
    }
  }

  /** Give it everything that reaches the disk. */
  recorded(events: readonly RecordedEvent[]): void {
    if (this.#armed.size === 0) return;
    for (const recorded of events) {
      const event = typed(recorded);
      if (event.commandId !== null && "sawState" in event.data) this.#remember(event.commandId, event.data.commandType);
      for (const program of [...this.#armed.keys()]) this.#heard(program, event);
    }
  }

  #remember(commandId: string, type: string): void {
    this.#types.set(commandId, type);
    if (this.#types.size <= TYPES_MAX) return;
    for (const oldest of this.#types.keys()) {
      this.#types.delete(oldest);
      return;
    }
  }

  #heard(program: string, event: TypedEvent): void {
    const { programs } = this.#parts;
    const defined = programs.get(program);
    if (defined?.version !== this.#armed.get(program)) {
      this.#give(program, "the program was defined anew");
      return;
    }
    for (const trigger of defined?.program.triggers ?? []) {
      if (!this.#meets(trigger, event)) continue;
      void this.#fire(program, trigger, event).catch((error: unknown) =>
        this.#parts.logger.error({ error, program }, "a trigger broke"),
      );
      return;
    }
  }

  #meets(trigger: Trigger, event: TypedEvent): boolean {
    const { book } = this.#parts;
    const when = (trigger.when ?? []).every((condition) => {
      const { axis } = condition;
      return book.has(axis) && holds(condition, axisFacts(book.committed(axis), book.reading(axis)));
    });
    return when && event.type === trigger.event && this.#matches(trigger, event);
  }

  #matches(trigger: Trigger, event: TypedEvent): boolean {
    const subject = streamSubject(event.stream);
    if (trigger.event === "RunEnded") {
      const name = this.#parts.engine.get(subject)?.plan.program.name;
      return event.type === "RunEnded" && event.data.outcome === "completed" && name === trigger.program;
    }
    if (subject !== trigger.axis) return false;
    if (trigger.event === "AxisStateChanged")
      return event.type === "AxisStateChanged" && event.data.state === trigger.state;
    return trigger.command === undefined || trigger.command === this.#types.get(event.commandId ?? "");
  }

  async #fire(program: string, { id: trigger }: Trigger, event: TypedEvent): Promise<void> {
    const { programs, runs, logger, clock } = this.#parts;
    // A run that has just ended gives its axes back first: its successor may want them.
    await new Promise<void>((resolve) => clock.soon(resolve));
    const defined = this.isArmed(program) ? programs.get(program) : undefined;
    if (!defined) return;
    const eventId = event.id;
    const key = `trigger:${program}:${trigger}:${eventId}`;
    const print = fingerprint("TRIGGER", program, { trigger, eventId });
    const withdrawn = () => (this.isArmed(program) ? null : disarmed(program));
    const wish = { defined, principal: `trigger:${program}`, key, fingerprint: print, withdrawn };
    const answer = await runs.start({ ...wish, trigger: { name: trigger, eventId } });
    const [runId, problem] = "problem" in answer ? [null, answer.problem] : [answer.runId, null];
    if (problem) {
      logger.warn({ program, trigger, problem }, "a trigger found its program unable to start");
      this.#give(program, `its start was refused: ${problem.detail}`);
    }
    await this.#record(
      { type: "TriggerFired", data: { program, trigger, eventId, runId, problem } },
      `trigger:${program}`,
    );
  }

  #disarmAll(reason: string): void {
    for (const program of [...this.#armed.keys()]) this.#give(program, reason);
  }

  #give(program: string, reason: string): void {
    this.disarm(program, reason, "controller").catch((error: unknown) =>
      this.#parts.logger.error({ error, program }, "a trigger was disarmed, but that could not be recorded"),
    );
  }

  #record(event: DomainEvent, actor: string): Promise<unknown> {
    const { journal, config } = this.#parts;
    return journal.record([{ stream: boxStream(config.box), events: [event], origin: { actor } }]);
  }
}

const disarmed = (program: string): ProblemFacts => ({
  slug: "run-not-ready",
  detail: `the triggers of ${program} were disarmed before its run began`,
  remedy: "find out why, then arm them again",
});
