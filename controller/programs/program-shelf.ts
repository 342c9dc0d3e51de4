import { type Program, RUN_STREAM_EVENTS, streamSubject, type TypedEvent } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import { evolveRun } from "./evolve-run.ts";
import type { Run, RunEvent } from "./run-state.ts";

/** A program as it was last defined. */
export interface DefinedProgram {
  readonly program: Program;
  /** Counts the definitions of this name. */
  readonly version: number;
  readonly definedUs: number;
}

/** The shelf as plain JSON. */
export interface ShelfText {
  readonly programs: readonly (readonly [string, DefinedProgram])[];
  readonly stories: readonly (readonly [string, readonly RunEvent[]])[];
}

const OF_A_RUN: ReadonlySet<string> = new Set(RUN_STREAM_EVENTS);

/** What a start has to know of programs: the newest definitions, and the story of every run that has not ended. */
export class ProgramShelf {
  readonly programs: Map<string, DefinedProgram>;
  readonly #stories: Map<string, RunEvent[]>;

  constructor(text: ShelfText = { programs: [], stories: [] }) {
    this.programs = new Map(text.programs);
    this.#stories = new Map(text.stories.map(([runId, events]) => [runId, [...events]]));
  }

  take(event: TypedEvent): void {
    if (event.type === "ProgramDefined") {
      const { name, program, version } = event.data;
      this.programs.set(name, { program, version, definedUs: event.wallUs });
      return;
    }
    assert(OF_A_RUN.has(event.type), `${event.type} is not an event of a run`);
    const runId = streamSubject(event.stream);
    const story = this.#stories.get(runId) ?? [];
    // Just checked: an event of a run's own stream.
    story.push({ type: event.type, data: event.data } as RunEvent);
    if (event.type === "RunEnded") this.#stories.delete(runId);
    else this.#stories.set(runId, story);
  }

  /** The runs that have not ended, as they stood. */
  runs(): readonly Run[] {
    return [...this.#stories.values()].flatMap((story) => {
      const run = story.reduce<Run | undefined>(evolveRun, undefined);
      return run ? [run] : [];
    });
  }

  text(): ShelfText {
    return { programs: [...this.programs], stories: [...this.#stories] };
  }
}
