import type { FleetConfig } from "@servofleet/contracts";
import { type AxisId, LEASE_TTL_DEFAULT_MS, type ProblemFacts, type RecordedEvent, typed } from "@servofleet/contracts";
import type { Lease } from "../authority/lease-book.ts";
import type { LeaseDesk } from "../authority/lease-desk.ts";
import { type EventLog, LogError } from "../event-log/event-log.ts";
import { type Admission, logUnavailable } from "../inbox/admission.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { CommandIdentity } from "../inbox/command-identity.ts";
import { endsCommand } from "../inbox/command-waiters.ts";
import { decideRestart } from "./decide-run.ts";
import { evolveRun } from "./evolve-run.ts";
import { unfit } from "./group-fitness.ts";
import { axesOf } from "./program-plan.ts";
import type { DefinedProgram, ProgramShelf } from "./program-shelf.ts";
import type { RunEngine } from "./run-engine.ts";
import { runningSteps } from "./run-halting.ts";
import { isEnded, type Run } from "./run-state.ts";

/** Runs at once. */
export const RUNS_MAX = 64;

export interface RunDeskParts {
  readonly config: FleetConfig;
  readonly log: EventLog;
  readonly book: AxisBook;
  readonly admission: Admission;
  readonly leaseDesk: LeaseDesk;
  readonly identity: CommandIdentity;
  readonly engine: RunEngine;
  readonly shelf: ProgramShelf;
  readonly wallUs: () => number;
}

/** Somebody, or a trigger, wants a program to run. */
export interface RunWish {
  readonly defined: DefinedProgram;
  readonly principal: string;
  readonly key?: string | undefined;
  readonly fingerprint: string;
  readonly trigger: { readonly name: string; readonly eventId: string } | null;
  /** Whether it is not wanted any more: looked at last of all before the run begins. */
  readonly withdrawn?: () => ProblemFacts | null;
}

export type RunAnswer =
  | { readonly runId: string; readonly position: number; readonly replayed: boolean }
  | { readonly problem: ProblemFacts };

/** Starts runs, once each, and takes a person's word about them. */
export class RunDesk {
  readonly #parts: RunDeskParts;
  readonly #starting = new Map<string, { readonly fingerprint: string; readonly answer: Promise<RunAnswer> }>();

  constructor(parts: RunDeskParts) {
    this.#parts = parts;
    for (const run of parts.shelf.runs()) this.#keep(run);
  }

  /** Resolves when the run, with the commands of its first steps, is on disk. */
  async start(wish: RunWish): Promise<RunAnswer> {
    const { identity, log } = this.#parts;
    const runId = identity.of(wish.principal, wish.key ?? identity.newKey());
    const twin = this.#starting.get(runId);
    if (twin) return sameWish(wish, twin.fingerprint) ? replayed(await twin.answer) : { problem: keyReused(wish) };
    const known = wish.key === undefined ? undefined : await log.findById(runId);
    if (known) return this.#known(wish, known);
    const again = this.#starting.get(runId);
    if (again) return sameWish(wish, again.fingerprint) ? replayed(await again.answer) : { problem: keyReused(wish) };
    const answer = this.#start(wish, runId);
    this.#starting.set(runId, { fingerprint: wish.fingerprint, answer });
    return answer.finally(() => this.#starting.delete(runId));
  }

  /** `not-found` when there never was such a run. */
  async person(runId: string, what: "pause" | "resume" | "abort", by: string): Promise<ProblemFacts | Run> {
    const { engine, admission } = this.#parts;
    const run = engine.get(runId);
    if (!run) return this.#notLive(runId, what);
    const kept = admission.toRecord();
    if (kept) return kept;
    const resumed = what === "resume" ? await this.#regain(run) : null;
    if (resumed) return resumed;
    const leaseId = engine.lease(runId)?.id ?? run.leaseId;
    try {
      const word = what === "resume" ? ({ type: what, by, leaseId } as const) : ({ type: what, by } as const);
      return (await engine.person(runId, word)) ?? (await this.#notLive(runId, what));
    } catch (error) {
      if (error instanceof LogError) return logUnavailable(error.code);
      throw error;
    }
  }

  /** A run that a person lets go on has fit axes, and control over them (which a restart has ended). */
  async #regain(run: Run): Promise<ProblemFacts | null> {
    const { engine, leaseDesk } = this.#parts;
    if (run.state !== "paused") return null;
    const bad = this.#unfit(run.axes, run.runId);
    if (bad || engine.lease(run.runId)) return bad;
    const granted = await leaseDesk.grant(run.axes as AxisId[], terms(run.plan.program.name), run.principal);
    if ("problem" in granted) return granted.problem;
    const { lease } = granted;
    if (engine.hold(run.runId, lease)) return null;
    await leaseDesk.giveBack(lease.id, lease.token);
    return this.#notLive(run.runId, "resume");
  }

  async #notLive(runId: string, what: string): Promise<ProblemFacts> {
    const known = await this.#parts.log.findById(runId);
    if (known?.type !== "RunStarted") return noRun(runId);
    const detail = `run ${runId} has ended: nothing is left to ${what}`;
    return { slug: "run-not-ready", detail, remedy: "start a new run" };
  }

  async #start(wish: RunWish, runId: string): Promise<RunAnswer> {
    const { config, engine, leaseDesk } = this.#parts;
    const { program, version } = wish.defined;
    const axes = axesOf(program, config);
    const full = engine.size >= RUNS_MAX ? tooMany : null;
    const bad = full ?? this.#unfit(axes, null);
    if (bad) return { problem: bad };
    const granted = await leaseDesk.grant(axes, terms(program.name), wish.principal);
    if ("problem" in granted) return granted;
    const { lease } = granted;
    // A stop may have come while the lease was written.
    const worse = this.#unfit(axes, null) ?? wish.withdrawn?.();
    if (worse) return this.#giveUp(lease, worse);
    const { principal, trigger, fingerprint } = wish;
    const of = { runId, program, version, axes: [...axes], principal, trigger, leaseId: lease.id, fingerprint };
    try {
      const [first] = await engine.begin({ type: "RunStarted", data: of }, lease);
      return { runId, position: first?.position ?? 0, replayed: false };
    } catch (error) {
      if (error instanceof LogError) return { problem: logUnavailable(error.code) };
      throw error;
    }
  }

  async #giveUp(lease: Lease, problem: ProblemFacts): Promise<RunAnswer> {
    await this.#parts.leaseDesk.giveBack(lease.id, lease.token);
    return { problem };
  }

  #unfit(axes: readonly string[], own: string | null): ProblemFacts | null {
    const { book, admission } = this.#parts;
    for (const id of axes) {
      if (!book.has(id)) return noAxis(id);
      const bad = admission.toCommand(id) ?? unfit(book.current(id), book.reading(id), own !== null);
      if (bad) return bad;
    }
    return null;
  }

  async #known(wish: RunWish, recorded: RecordedEvent): Promise<RunAnswer> {
    const event = typed(recorded);
    if (event.type !== "RunStarted" || event.data.fingerprint !== wish.fingerprint) return { problem: keyReused(wish) };
    return { runId: event.data.runId, position: event.position, replayed: true };
  }

  /** What the start has decided about a run of the former life. */
  #keep(before: Run): void {
    const { engine, wallUs, book } = this.#parts;
    const there = before.axes.every((axis) => book.has(axis));
    const run = decideRestart(before, wallUs(), there).reduce<Run>(evolveRun, before);
    if (isEnded(run)) return;
    engine.keep(run);
    void this.#catchUp(run);
  }

  /** Commands that the start itself has ended, before anybody listened. */
  async #catchUp(run: Run): Promise<void> {
    const { log, book, engine } = this.#parts;
    for (const [, { command }] of runningSteps(run)) {
      if (!command || !book.has(command.axis)) continue;
      if (book.current(command.axis).open.has(command.commandId as never)) continue;
      engine.recorded((await log.readCommand(command.commandId)).filter(endsCommand));
    }
  }
}

const terms = (program: string) =>
  ({ ttlMs: LEASE_TTL_DEFAULT_MS, onLapse: "halt", purpose: `program ${program}` }) as const;
const sameWish = (wish: RunWish, print: string): boolean => wish.fingerprint === print;
const replayed = (answer: RunAnswer): RunAnswer => ("problem" in answer ? answer : { ...answer, replayed: true });

const tooMany: ProblemFacts = {
  slug: "queue-full",
  detail: `${RUNS_MAX} runs have not ended`,
  remedy: "wait until some have ended, or abort one",
};
/** 404: the program was defined for another configuration. */
export const noAxis = (id: string): ProblemFacts => ({
  slug: "not-found",
  detail: `axis ${id} is not configured any more`,
  remedy: "define the program anew for the axes there are",
});
/** 404: no run of that id, now or ever. */
export const noRun = (runId: string): ProblemFacts => ({
  slug: "not-found",
  detail: `no run ${JSON.stringify(runId.slice(0, 80))}`,
  remedy: "GET /v1/runs lists them",
});
const keyReused = (wish: RunWish): ProblemFacts => ({
  slug: "idempotency-key-reused",
  detail: `the key ${JSON.stringify(wish.key?.slice(0, 80))} stands for another request`,
  remedy: "use a new Idempotency-Key for a new request, or repeat the first one unchanged",
});
