import {
  boxStream,
  type FleetConfig,
  PROGRAMS_MAX,
  type ProblemFacts,
  type Program,
  type RecordedEvent,
} from "@servofleet/contracts";
import { canonicalJson } from "../inbox/fingerprint.ts";
import type { Journal } from "../inbox/journal.ts";
import { programFlaws } from "./program-check.ts";
import type { DefinedProgram, ProgramShelf } from "./program-shelf.ts";

export interface ProgramDeskParts {
  readonly config: FleetConfig;
  readonly journal: Journal;
  readonly shelf: ProgramShelf;
  readonly wallUs: () => number;
}

type Defined =
  | { readonly defined: DefinedProgram; readonly recorded: RecordedEvent | null }
  | { readonly problem: ProblemFacts };

/** Flaws that one answer carries. */
const FLAWS_MAX = 50;

/** The programs of the box. */
export class ProgramDesk {
  readonly #parts: ProgramDeskParts;
  readonly #programs: Map<string, DefinedProgram>;

  constructor(parts: ProgramDeskParts) {
    this.#parts = parts;
    this.#programs = new Map(parts.shelf.programs);
  }

  get(name: string): DefinedProgram | undefined {
    return this.#programs.get(name);
  }

  all(): readonly DefinedProgram[] {
    return [...this.#programs.values()].sort((a, b) => (a.program.name < b.program.name ? -1 : 1));
  }

  /** Resolves when on disk. The same document again changes nothing. Rejects with LogError. */
  async define(program: Program, principal: string): Promise<Defined> {
    const { config, journal, wallUs } = this.#parts;
    const { name } = program;
    const known = this.#programs.get(name);
    if (known && canonicalJson(known.program) === canonicalJson(program)) return { defined: known, recorded: null };
    const flaws = programFlaws(program, config);
    if (flaws.length > 0) return { problem: flawed(flaws) };
    if (!known && this.#programs.size >= PROGRAMS_MAX) return { problem: tooMany };
    const version = (known?.version ?? 0) + 1;
    const defined: DefinedProgram = { program, version, definedUs: wallUs() };
    this.#programs.set(name, defined);
    const events = [{ type: "ProgramDefined", data: { name, version, program, principal } } as const];
    try {
      const [recorded] = await journal.record([
        { stream: boxStream(config.box), events, origin: { actor: principal } },
      ]);
      return { defined, recorded: recorded ?? null };
    } catch (error) {
      if (known) this.#programs.set(name, known);
      else this.#programs.delete(name);
      throw error;
    }
  }
}

const flawed = (flaws: readonly { readonly pointer: string; readonly detail: string }[]): ProblemFacts => ({
  slug: "validation-error",
  detail: `${flaws[0]?.pointer}: ${flaws[0]?.detail}`.slice(0, 500),
  remedy: "correct the fields that are pointed at; docs/programs.md explains each",
  errors: flaws.slice(0, FLAWS_MAX),
});

const tooMany: ProblemFacts = {
  slug: "queue-full",
  detail: `${PROGRAMS_MAX} programs are defined`,
  remedy: "define one of them anew under its name",
};
