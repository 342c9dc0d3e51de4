import { seededRandom } from "@servofleet/runtime/fake-clock";
import { CRASH_POINTS, type RestartCase, runRestart, SITUATIONS } from "./restart-trial.ts";
import { runTrialCommand } from "./trial-options.ts";

const VICTIMS = ["controller", "bridge", "box"] as const;
const LATER_MAX_MS = 400;

/** A death somewhere in the life of a move, from its seed. */
function caseOf(seed: number): RestartCase {
  const random = seededRandom(seed);
  const one = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)] as T;
  const model = one(["leadshine-icl-rs", "mitsubishi-mr-je-c"] as const);
  const leadshine = model === "leadshine-icl-rs";
  const situation = one(SITUATIONS.filter((name) => leadshine || name !== "foreign-motion"));
  return {
    seed,
    model,
    victim: one(VICTIMS),
    point: situation === "foreign-motion" ? "CommandSucceeded" : one(CRASH_POINTS),
    situation,
    policy: { watchdogMs: leadshine ? null : one([null, 300]), onControllerLost: one(["stop", "finish"] as const) },
    laterMs: Math.floor(random.next() * LATER_MAX_MS),
  };
}

/** `npm run trial:restarts [-- --kills N --from SEED]`: deaths in mid-move in virtual time, a line for each that broke a law. */
await runTrialCommand({
  name: "trial:restarts",
  options: { kills: 500, from: 1 },
  async run({ kills, from }, result) {
    let broken = 0;
    let slowestMs = 0;
    const ends: Record<string, number> = {};
    for (let seed = from; seed < from + kills; seed++) {
      const one = caseOf(seed);
      const outcome = await runRestart(one);
      slowestMs = Math.max(slowestMs, outcome.classifiedMs);
      ends[outcome.state ?? "open"] = (ends[outcome.state ?? "open"] ?? 0) + 1;
      if (outcome.broken.length === 0) continue;
      broken += 1;
      result({ ...one, ...outcome });
    }
    result({ trial: "restarts", kills, from, broken, slowestClassifiedMs: Math.round(slowestMs), ends });
    return broken;
  },
});
