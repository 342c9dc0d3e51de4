import { buildCommandLine } from "./command-line.ts";
import { explain, FAILED } from "./exit.ts";

// One line of words for a person; the stack only where somebody asked for it.
try {
  await buildCommandLine().parseAsync(process.argv);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  if (process.env["SERVOFLEET_DEBUG"]) console.error(error);
  process.exit(FAILED);
}
