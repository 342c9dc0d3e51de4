import { parseArgs } from "node:util";

const EXIT_FOUND = 1;
const EXIT_WRONG_USAGE = 2;

/** A trial as a command: whole numbers from the command line, one JSON object per result on stdout. */
export interface TrialCommand<O extends Readonly<Record<string, number>>> {
  /** `npm run <name>`. */
  readonly name: string;
  /** Options with their defaults. */
  readonly options: O;
  /** Writes its results; resolves with how much was found that must not be. */
  readonly run: (options: O, result: (line: object) => void) => Promise<number>;
}

/** Runs it and sets the exit code: 0 nothing found, 1 found, 2 wrong usage. */
export async function runTrialCommand<O extends Readonly<Record<string, number>>>(
  command: TrialCommand<O>,
): Promise<void> {
  const names = Object.keys(command.options);
  const usage = `usage: npm run ${command.name} [-- ${names.map((name) => `--${name} N`).join(" ")}]\n`;
  let chosen: O;
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
    const { values } = parseArgs({ args: process.argv.slice(2), options });
    const numbers = names.map((name) => [name, Number(values[name] ?? command.options[name])] as const);
    if (numbers.some(([, value]) => !Number.isSafeInteger(value) || value < 0)) throw new RangeError("not a number");
    chosen = Object.fromEntries(numbers) as O;
  } catch {
    process.stderr.write(usage);
    process.exitCode = EXIT_WRONG_USAGE;
    return;
  }
  const found = await command.run(chosen, (line) => process.stdout.write(`${JSON.stringify(line)}\n`));
  process.exitCode = found > 0 ? EXIT_FOUND : 0;
}
