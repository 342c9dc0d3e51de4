import type { Command } from "commander";
import { addCaptureVerb } from "./capture-verb.ts";
import { showAxes } from "./fleet-verbs.ts";
import { showEvents } from "./history-verbs.ts";
import { wholeNumber } from "./number-argument.ts";
import { ended, untilInterrupted, verbContext } from "./verb-context.ts";
import { watchAxes } from "./watch-verb.ts";
import { tellWhy } from "./why.ts";

const EVENTS_DEFAULT = 30;
const EVENTS_MAX = 1000;

/** Verbs that only look. */
export function addReadVerbs(program: Command): void {
  program
    .command("axes")
    .description("every axis with state, position and age")
    .action((_options, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(showAxes(target, out));
    });
  program
    .command("watch [axis...]")
    .description("the same, live, until Ctrl-C")
    .action((axes: string[], _options, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(watchAxes(target, out, axes, untilInterrupted()));
    });
  program
    .command("replay")
    .description("the fleet as it was")
    .requiredOption("--at <time>", "RFC 3339, as 2026-11-21T10:15:00Z")
    .action((options: { at: string }, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(showAxes(target, out, options.at));
    });
  addReadModelVerbs(program);
  addCaptureVerb(program);
  program
    .command("why <command-id>")
    .description("the whole story of one command: who, decision, log, wire, confirmation")
    .action((id: string, _options, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(tellWhy(target, out, id));
    });
  program
    .command("events")
    .description("what was recorded, newest last")
    .option("--follow", "go on with what comes, until Ctrl-C", false)
    .option("--axis <axis>", "of one axis")
    .option("--type <type>", "of one type, as MoveAccepted")
    .option("--after <position>", "after this position of the log")
    .option("--limit <n>", "at most so many", wholeNumber(1, EVENTS_MAX), EVENTS_DEFAULT)
    .action(
      (options: { follow: boolean; axis?: string; type?: string; after?: string; limit: number }, command: Command) => {
        const { target, out } = verbContext(command);
        return ended(showEvents(target, out, options, untilInterrupted()));
      },
    );
}

function addReadModelVerbs(program: Command): void {
  program
    .command("read")
    .description("the read model")
    .command("rebuild")
    .description("build every view anew from the log beside the live ones, compare, switch; no query fails meanwhile")
    .option("--check", "compare only: nothing is switched, exit code 1 when something differs", false)
    .action(async (options: { check: boolean }, command: Command) => {
      const { out, data } = verbContext(command);
      return ended((await import("./read-rebuild.ts")).rebuildRead(data, out, options, untilInterrupted()));
    });
}
