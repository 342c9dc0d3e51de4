import type { Command } from "commander";
import { ended, verbContext } from "./verb-context.ts";

/** Verbs that work on files and on simulated drives, without a running fleet. */
export function addToolVerbs(program: Command): void {
  program
    .command("check <file>")
    .description("validate fleet.yaml, print the bus budget and the stop bounds; touches nothing")
    .action(async (file: string, _options, command: Command) =>
      ended((await import("./check-fleet.ts")).checkFleet(file, verbContext(command).out)),
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
