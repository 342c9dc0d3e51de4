import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { RecordedEvent } from "@servofleet/contracts";
import { CommandIdentity } from "@servofleet/controller/inbox/command-identity";
import { LogFold } from "@servofleet/controller/recovery/log-fold";
import type { Broken, Evidence } from "./law-evidence.ts";
import { logLaws } from "./log-laws.ts";
import { motionLaws } from "./motion-laws.ts";
import type { RareState } from "./rare-state.ts";
import { reachedInLog } from "./reached-in-log.ts";
import { type SeedOptions, seedOptions, streamOf } from "./seed-options.ts";
import { SimClient } from "./sim-client.ts";
import { simAxes } from "./sim-fleet.ts";
import { SimHistory } from "./sim-history.ts";
import { SimNemesis } from "./sim-nemesis.ts";
import { SimOperator } from "./sim-operator.ts";
import { diskReader, SimProjections, SimReadSide } from "./sim-read-side.ts";
import { SimServices } from "./sim-services.ts";
import { SimWitness } from "./sim-witness.ts";
import { SimWorld, type TraceLine } from "./sim-world.ts";
import { toldCommands } from "./told-command.ts";

/** How long everything may take to come right once nothing goes wrong any more, ms. */
const CONVERGE_MS = 30_000;
const PAGE = 1000;

/** What one seed came to. */
export interface SeedResult {
  readonly options: SeedOptions;
  readonly broken: readonly Broken[];
  readonly reached: ReadonlySet<RareState>;
  /** Chain hash of the last event, and of what the drives recorded: equal for two runs of one seed. */
  readonly hash: string;
  readonly events: number;
  readonly commands: number;
  readonly simulatedMs: number;
  readonly trace: readonly TraceLine[];
  readonly log: readonly RecordedEvent[];
}

/** Runs one seed to its end and judges it. The same seed gives the same result, whenever and wherever. */
export async function runSeed(seed: number): Promise<SeedResult> {
  const run = new SeedRun(seedOptions(seed));
  try {
    return await run.go();
  } finally {
    run.end();
  }
}

class SeedRun {
  readonly #world: SimWorld;
  readonly #services: SimServices;
  readonly #witness: SimWitness;
  readonly #nemesis: SimNemesis;
  readonly #readSide: SimReadSide;
  readonly #history = new SimHistory();
  readonly #broken: Broken[] = [];
  /** Operators that have not gone home. */
  #working = 0;

  constructor(options: SeedOptions) {
    const world = new SimWorld(options);
    this.#world = world;
    this.#services = new SimServices(world);
    this.#witness = new SimWitness(world);
    this.#nemesis = new SimNemesis(world, this.#services, streamOf(options.seed, "nemesis"));
    this.#readSide = new SimReadSide(world);
    this.#services.onDeath = (who) => this.#witness.died(who);
    this.#nemesis.onDeed = (deed) => this.#witness.deed(deed);
  }

  async go(): Promise<SeedResult> {
    const { time, options } = this.#world;
    this.#services.start();
    this.#nemesis.plan();
    await time.run(5);
    this.#readSide.start();
    this.#killReadSide();
    this.#sendOperators();
    await time.run(options.busyMs);
    this.#world.say("nothing goes wrong any more");
    this.#nemesis.heal();
    const converged = await time.run(CONVERGE_MS, () => this.#quiet());
    if (!converged) this.#broken.push({ law: "everything comes right in the end", how: this.#unrest() ?? "?" });
    // Standing for a while: whatever still had something in mind would do it now.
    await time.run(1500);
    return this.#judge();
  }

  end(): void {
    this.#services.halt();
    this.#readSide.stop();
    this.#world.disk.close();
  }

  #sendOperators(): void {
    const world = this.#world;
    const { options } = world;
    const until = (): boolean => world.nowMs > options.busyMs;
    for (let n = 0; n < options.operators; n++) {
      const random = streamOf(options.seed, `operator-${n}`);
      const axis = simAxes[n % simAxes.length]?.id ?? simAxes[0]?.id;
      if (!axis) continue;
      const client = new SimClient(world, this.#history, `operator-${n}`);
      const operator = new SimOperator(world, client, axis, random);
      this.#working++;
      operator
        .work(until)
        .catch((error: unknown) => world.crashed("an operator", error))
        .finally(() => this.#working--);
    }
  }

  #killReadSide(): void {
    const { outside, options } = this.#world;
    const random = streamOf(options.seed, "read side");
    for (let n = 0; n < options.readSideDeaths; n++)
      outside.after(random.next() * options.busyMs, () => {
        this.#witness.reached.add("read side killed and rebuilt");
        this.#readSide.kill();
      });
  }

  #quiet = (): boolean => this.#unrest() === null;

  /** What has not come right yet; null when all has. */
  #unrest(): string | null {
    const { api, plant } = this.#world;
    const log = this.#services.log;
    if (this.#working > 0) return "operators are still at work";
    if (!api || !log) return "there is no controller";
    const unready = api.unready();
    if (unready !== null) return unready;
    for (const axis of api.book.ids) {
      const { open, stopLatched, stops } = api.book.committed(axis);
      if (open.size > 0) return `${axis} has open commands: ${[...open.keys()].join(" ")}`;
      if (stopLatched && stops.at(-1)?.result !== "acknowledged") return `the stop of ${axis} was never acknowledged`;
      if (api.book.reading(axis)?.online !== true) return `${axis} is off line`;
      if (plant.moving(axis)) return `${axis} still moves`;
    }
    if (this.#readSide.projections.halted) return this.#readSide.projections.halted;
    return this.#readSide.projections.position < log.position ? "the read side is behind" : null;
  }

  async #judge(): Promise<SeedResult> {
    const { options, plant, crashes, trace, time } = this.#world;
    let log = await this.#timed(this.#readLog());
    // What was written while it was read (a lease that lapses just now) is part of it.
    while (log.length < (this.#services.log?.position ?? 0)) log = await this.#timed(this.#readLog());
    const identity = new CommandIdentity("simulation", streamOf(options.seed, "unused"));
    const idOf = (key: string): string => identity.of(key.slice(0, "operator-0".length), key);
    const commands = toldCommands(log);
    const evidence: Evidence = {
      log,
      commands,
      book: plant.book,
      history: this.#history,
      witness: this.#witness,
      idOf,
    };
    const broken = [
      ...this.#broken,
      ...crashes.map((how) => ({ law: "no process crashes by itself", how })),
      ...logLaws(evidence),
      ...motionLaws(evidence),
      ...this.#boardLaw(log),
      ...(await this.#timed(this.#readModelLaw(log))),
    ];
    const reached = new Set([...this.#witness.reached, ...this.#tallied(), ...reachedInLog(evidence)]);
    const digest = createHash("sha256")
      .update(log.at(-1)?.hash ?? "")
      .update(JSON.stringify(plant.book.motions));
    const counts = { events: log.length, commands: commands.length, simulatedMs: time.nowMs };
    return { options, broken, reached, hash: digest.digest("hex"), ...counts, trace, log };
  }

  #tallied(): RareState[] {
    const { plant, bus, disk } = this.#world;
    const states: RareState[] = [];
    for (const { tally } of plant.lines.values()) {
      if (tally.corrupted > 0) states.push("corrupted frame");
      if (tally.cut > 0) states.push("frame cut short");
      if (tally.late > 0) states.push("answer came after its time-out");
    }
    if (bus.tally.lost > 0) states.push("message lost between controller and bridge");
    if (bus.tally.twice > 0) states.push("message doubled between controller and bridge");
    if (disk.untold > 0) states.push("commit on the disk, its writer killed before it knew");
    return states;
  }

  async #readLog(): Promise<RecordedEvent[]> {
    const reader = diskReader(this.#world, this.#world.outside);
    const log: RecordedEvent[] = [];
    for (;;) {
      const page = await reader.readAfter(log.length, PAGE);
      log.push(...page);
      if (page.length < PAGE) return log;
    }
  }

  /** The log alone gives what the controller has in mind of its axes. */
  #boardLaw(log: readonly RecordedEvent[]): Broken[] {
    const { api, config } = this.#world;
    const fold = new LogFold(config);
    fold.take(log);
    return [...fold.axes].flatMap((axis) =>
      api && !isDeepStrictEqual(api.book.committed(axis.id), axis)
        ? [{ law: "the log rebuilds the board", how: `${axis.id} differs` }]
        : [],
    );
  }

  async #readModelLaw(log: readonly RecordedEvent[]): Promise<Broken[]> {
    // From here it stands still: an event of this very moment it may or may not have looked for yet.
    this.#readSide.stop();
    const live = this.#readSide.projections;
    const fresh = new SimProjections(this.#world.outside);
    const known = live.position > log.length ? await this.#readLog() : log;
    await fresh.handle(known.slice(0, live.position));
    const halted = fresh.halted ?? live.halted;
    if (halted) return [{ law: "no projection halts", how: halted }];
    if ((await fresh.dump()) === (await live.dump())) return [];
    return [{ law: "the read model equals the fold", how: `at position ${live.position}` }];
  }

  /** What needs the clock to go on, such as reading the disk. */
  async #timed<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    void work.finally(() => {
      ended = true;
    });
    await this.#world.time.run(CONVERGE_MS, () => ended);
    return work;
  }
}
