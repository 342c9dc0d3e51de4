import { runLineTrial } from "./line-trial.ts";

/** `npm run trial:line -- [transactions] [seed]`: the bad line in virtual time, at length; one JSON object on stdout. */
const [transactions = "1000000", seed = "1"] = process.argv.slice(2);
const result = await runLineTrial(Number(seed), Number(transactions));
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exitCode = result.wrongValues + result.sentTwice + result.toldWrong + result.gapsTooShort === 0 ? 0 : 1;
