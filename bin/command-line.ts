import { Command, type CommanderError } from "commander";
import { usageExit } from "./exit.ts";
import { addMotionVerbs } from "./verbs/motion-verbs.ts";
import { addReadVerbs } from "./verbs/read-verbs.ts";
import { addServiceVerbs } from "./verbs/service-verbs.ts";
import { addToolVerbs } from "./verbs/tool-verbs.ts";
import { VERSION } from "./version.ts";

/** The whole command line. Each verb loads its own parts when it runs, so that `stop` does not wait for what it never uses. */
export function buildCommandLine(): Command {
  const program = new Command("servofleet")
    .description(
      "Embedded servo fleet controller: motion commands in, what really happened out.\nThe software stop is not a safety function; the hard-wired circuit is.",
    )
    .version(VERSION)
    .option("--json", "one JSON document per line on stdout, for programs")
    .option("--url <url>", "address of the gateway", defaultUrl())
    .option(
      "--data <directory>",
      "data directory, for `stop` when the gateway is dead and for `log`",
      process.env["SERVOFLEET_DATA"] ?? "./data",
    )
    .exitOverride(usageExit as (error: CommanderError) => never)
    .showSuggestionAfterError(true)
    .showHelpAfterError("(servofleet --help lists the verbs)");
  addServiceVerbs(program);
  addReadVerbs(program);
  addMotionVerbs(program);
  addToolVerbs(program);
  return program;
}

const defaultUrl = (): string =>
  process.env["SERVOFLEET_URL"] ?? `http://127.0.0.1:${process.env["SERVOFLEET_PORT"] || 8080}`;
