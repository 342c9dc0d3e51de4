import type { Command } from "commander";
import type { ScanOptions } from "./scan.ts";
import { ended, untilInterrupted, verbContext } from "./verb-context.ts";

/** Verbs that work on files and on simulated drives, without a running fleet. */
export function addToolVerbs(program: Command): void {
  program
    .command("check <file>")
    .description("validate fleet.yaml, print the bus budget and the stop bounds; touches nothing")
    .action(async (file: string, _options, command: Command) =>
      ended((await import("./check-fleet.ts")).checkFleet(file, verbContext(command).out)),
    );
  program
    .command("scan")
    .description("who answers on a line, and what it is; only reads")
    .requiredOption("--link <id>", "a link of the configuration")
    .option("--config <file>", "fleet.yaml that has the link; axes need not be there yet", "fleet.yaml")
    .option("--units <list>", "units to ask, as 1-32 or 1,3,7-9 (default: 1-32)")
    .option("--every-speed", "the other usual speeds and parities too; not while axes are loaded, see docs/api.md")
    .action(async (options: ScanOptions, command: Command) =>
      ended((await import("./scan.ts")).scan(options, verbContext(command).out, untilInterrupted())),
    );
  program
    .command("sim <links>")
    .description("simulated drives on serial lines and TCP ports, until Ctrl-C")
    .action(async (links: string) => (await import("../services/simulator-service.ts")).runSimulators(links));
  program
    .command("profile")
    .description("drive profiles")
    .command("check <file>")
    .description("validate a drive profile")
    .action(async (file: string, _options, command: Command) =>
      ended((await import("./check-profile.ts")).checkProfileFile(file, verbContext(command).out)),
    );
}
