import { systemClock } from "@servofleet/runtime/system-clock";
import { RARE_STATES, type RareState } from "./rare-state.ts";
import type { SeedResult } from "./run-seed.ts";

const BROKEN_SHOWN_MAX = 20;

/** Counts what the seeds of one call came to. */
export class SeedTally {
  readonly #reached = new Map<RareState, number>();
  readonly #clock = systemClock();
  readonly #sinceMs = this.#clock.monotonicMs();
  seeds = 0;
  failed = 0;
  #events = 0;
  #commands = 0;
  #simulatedMs = 0;

  add(result: SeedResult): void {
    this.seeds++;
    if (result.broken.length > 0) this.failed++;
    this.#events += result.events;
    this.#commands += result.commands;
    this.#simulatedMs += result.simulatedMs;
    for (const state of result.reached) this.#reached.set(state, (this.#reached.get(state) ?? 0) + 1);
  }

  /** Share of the seeds that reached the state, 0 to 1. */
  share(state: RareState): number {
    return (this.#reached.get(state) ?? 0) / Math.max(1, this.seeds);
  }

  summary(): string[] {
    const spentS = (this.#clock.monotonicMs() - this.#sinceMs) / 1000;
    const shares = RARE_STATES.map((state) => `  ${(100 * this.share(state)).toFixed(1).padStart(5)} %  ${state}`);
    const reached = RARE_STATES.filter((state) => this.share(state) >= 0.01).length;
    return [
      "states reached, by share of seeds:",
      ...shares,
      `${reached} of ${RARE_STATES.length} states in at least 1 % of the seeds`,
      `${this.seeds} seeds, ${this.failed} with a broken law; ${this.#commands} commands, ${this.#events} events, ${Math.round(this.#simulatedMs / 1000)} simulated s in ${spentS.toFixed(1)} s (${(this.seeds / spentS).toFixed(2)} seeds/s)`,
    ];
  }

  /** What to say of one seed: nothing of a good one, everything that replays a bad one. */
  static lines(result: SeedResult, withTrace: boolean): string[] {
    const { options, broken, hash, trace, log } = result;
    const told = withTrace ? storyOf({ trace, log }) : [];
    if (broken.length === 0) return withTrace ? [...told, `seed ${options.seed}: ${hash}`] : [];
    const laws = broken.slice(0, BROKEN_SHOWN_MAX).map(({ law, how }) => `  BROKEN ${law}: ${how}`);
    return [
      ...told,
      `seed ${options.seed} has broken ${broken.length === 1 ? "a law" : `${broken.length} laws`} (${hash.slice(0, 16)})`,
      ...laws,
      `  options ${JSON.stringify(options)}`,
      `  replay: npm run simulate -- --seeds 1 --from ${options.seed} --trace`,
    ];
  }
}

function storyOf({ trace, log }: Pick<SeedResult, "trace" | "log">): string[] {
  const events = log.map(({ monoNs, position, stream, type, commandId, data }) => ({
    atMs: Number(monoNs) / 1e6,
    text: `  #${position} ${stream} ${type} ${commandId?.slice(0, 8) ?? ""} ${JSON.stringify(data).slice(0, 260)}`,
  }));
  return [...trace, ...events].sort((a, b) => a.atMs - b.atMs).map(({ atMs, text }) => `${atMs.toFixed(3)} ${text}`);
}
