import { leaveOnBrokenPipe } from "./broken-pipe.ts";
import { buildCommandLine } from "./command-line.ts";
import { exitCodeOf, tellFailure, wantsJson } from "./exit.ts";
import { leaveSignalsToParent } from "./service-process.ts";

leaveOnBrokenPipe();
leaveSignalsToParent();
// One line of words for a person; the stack only where somebody asked for it.
try {
  await buildCommandLine().parseAsync(process.argv);
} catch (error) {
  tellFailure(error, wantsJson(process.argv));
  if (process.env["SERVOFLEET_DEBUG"]) console.error(error);
  process.exit(exitCodeOf(error));
}
