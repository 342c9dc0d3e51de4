// `npm run simulate -- --seeds N --from S [--trace]`: runs seeds and says which law broke in which of them.

import { parseArgs } from "node:util";
import { runSeed } from "./run-seed.ts";
import { SeedTally } from "./seed-tally.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    from: { type: "string", default: "1" },
    /** Prints what happened in each seed: for one that failed. */
    trace: { type: "boolean", default: false },
  },
});
/** A word on stderr after so many seeds. */
const WORD_EVERY = 500;
const count = Number(values.seeds);
const from = Number(values.from);
const tally = new SeedTally();
for (let seed = from; seed < from + count; seed++) {
  const result = await runSeed(seed);
  tally.add(result);
  for (const line of SeedTally.lines(result, values.trace)) console.log(line);
  const done = seed - from + 1;
  if (done % WORD_EVERY === 0 && done < count)
    console.error(`${done} of ${count} seeds, ${tally.failed} with a broken law`);
}
for (const line of tally.summary()) console.log(line);
process.exitCode = tally.failed > 0 ? 1 : 0;
