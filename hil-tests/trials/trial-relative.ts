import { runRelativeMoves } from "./relative-trial.ts";
import { runTrialCommand } from "./trial-options.ts";

/** One box lives for so many moves: its log is in memory. */
const MOVES_PER_BOX = 500;

/** `npm run trial:relative [-- --moves N --from SEED]`: in virtual time, a line per box. */
await runTrialCommand({
  name: "trial:relative",
  options: { moves: 50_000, from: 1 },
  async run({ moves, from }, result) {
    let doubled = 0;
    for (let done = 0, seed = from; done < moves; done += MOVES_PER_BOX, seed++) {
      const outcome = await runRelativeMoves({ seed, moves: Math.min(MOVES_PER_BOX, moves - done) });
      doubled += outcome.doubled;
      result(outcome);
    }
    result({ trial: "relative", moves, from, doubled });
    return doubled;
  },
});
