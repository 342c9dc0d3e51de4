import { parseArgs } from "node:util";
import { systemClock } from "@servofleet/runtime/system-clock";
import { runFaultsTrial, TRIAL_WIRES } from "./faults-trial.ts";

const EXIT_FOUND = 1;
const EXIT_WRONG_USAGE = 2;

/** `npm run trial:faults [-- --transactions N --seed N]`: one JSON object per wire on stdout, in real time. */
async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { transactions: { type: "string", default: "10000" }, seed: { type: "string", default: "1" } },
  });
  const [transactions, seed] = [Number(values.transactions), Number(values.seed)];
  if (!Number.isSafeInteger(transactions) || transactions < 1 || !Number.isSafeInteger(seed)) {
    process.stderr.write("usage: npm run trial:faults [-- --transactions N --seed N]\n");
    return EXIT_WRONG_USAGE;
  }
  let found = 0;
  for (const wire of TRIAL_WIRES) {
    process.stderr.write(`${transactions} transactions over ${wire} ...\n`);
    const result = await runFaultsTrial(wire, { clock: systemClock(), seed, transactions });
    process.stdout.write(`${JSON.stringify(result)}\n`);
    found += result.wrongValues + result.appliedTwice + result.toldWrong;
  }
  return found > 0 ? EXIT_FOUND : 0;
}

process.exitCode = await main(process.argv.slice(2));
