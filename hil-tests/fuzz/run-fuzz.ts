import { Script } from "node:vm";
import { seededRandom } from "@servofleet/runtime/fake-clock";
import type { FuzzTarget } from "./fuzz-target.ts";

/** One input may not keep a parser for longer: a line would stand still meanwhile. */
export const STEP_LIMIT_MS = 2000;
/** Inputs under one watch; the watch costs more than a frame does. */
const BATCH = 200;
/** Odd, so that the seeds of neighbouring inputs differ in every bit (Knuth's multiplier). */
const SPREAD = 2_654_435_761;

/** How one parser fared. */
export interface FuzzOutcome {
  readonly parser: string;
  readonly frames: number;
  readonly seed: number;
  /** Input that failed, its kind and words; null when none did. */
  readonly failure: {
    readonly frame: number;
    readonly kind: "crash" | "hang" | "wrong-value";
    readonly what: string;
  } | null;
}

interface Progress {
  at: number;
}

/** Feeds `frames` inputs from number `from` on. Each has a seed of its own, so one input alone can be replayed. */
export function fuzz(target: FuzzTarget, seed: number, frames: number, from = 0, limitMs = STEP_LIMIT_MS): FuzzOutcome {
  const outcome = { parser: target.name, frames, seed };
  const progress: Progress = { at: from };
  const step = (until: number): void => {
    for (; progress.at < until; progress.at++)
      target.run(seededRandom((Math.imul(progress.at + 1, SPREAD) ^ seed) >>> 0));
  };
  try {
    while (progress.at < from + frames) watched(() => step(Math.min(progress.at + BATCH, from + frames)), limitMs);
  } catch (error) {
    return { ...outcome, failure: { frame: progress.at, ...judged(error) } };
  }
  return { ...outcome, failure: null };
}

/** The shell's word for an input alone. */
export const replayCommand = ({ parser, seed, failure }: FuzzOutcome): string =>
  `npm run fuzz -- --parser ${parser} --seed ${seed} --from ${failure?.frame ?? 0} --frames 1`;

const CALL = new Script("globalThis.__fuzzStep()");

/** Only the engine itself can end a loop that never returns. */
function watched(step: () => void, limitMs: number): void {
  const scope = globalThis as { __fuzzStep?: () => void };
  scope.__fuzzStep = step;
  try {
    CALL.runInThisContext({ timeout: limitMs });
  } finally {
    delete scope.__fuzzStep;
  }
}

function judged(error: unknown): { kind: "crash" | "hang" | "wrong-value"; what: string } {
  const { code, message, stack } = error as { code?: string; message?: string; stack?: string };
  if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return { kind: "hang", what: "no end within the limit of a step" };
  if (code === "wrong-value") return { kind: "wrong-value", what: String(message) };
  return { kind: "crash", what: stack ?? String(error) };
}
