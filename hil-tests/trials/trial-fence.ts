import { runFence } from "./fence-trial.ts";
import { runTrialCommand } from "./trial-options.ts";

/** One box lives for so many operations: its log is in memory. */
const OPERATIONS_PER_BOX = 1000;

/** `npm run trial:fence [-- --clients N --operations N --from SEED]`: in virtual time, a line per box. */
await runTrialCommand({
  name: "trial:fence",
  options: { clients: 50, operations: 10_000, from: 1 },
  async run({ clients, operations, from }, result) {
    let stale = 0;
    for (let done = 0, seed = from; done < operations; done += OPERATIONS_PER_BOX, seed++) {
      const share = Math.min(OPERATIONS_PER_BOX, operations - done);
      const outcome = await runFence({ seed, clients, operations: share });
      stale += outcome.stale;
      result(outcome);
    }
    result({ trial: "fence", clients, operations, from, stale });
    return stale;
  },
});
