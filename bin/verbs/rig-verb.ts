import type { Command } from "commander";

import { ended, verbContext } from "./verb-context.ts";

/** What `rig run` takes after the verb. */
export interface RigOptions {
  readonly only?: readonly string[];
  readonly junit?: string;
  readonly html?: string;
}

/** Scenarios against simulated or real drives, as a rig file says. */
export function addRigVerbs(program: Command): void {
  program
    .command("rig")
    .description("hardware-in-the-loop rigs")
    .command("run <rig>")
    .description("run the scenarios on a rig of simulated or real drives (RIG.yaml); exit code 1 when one failed")
    .option("--only <name...>", "these scenarios only; what the rig file does not permit is then a failure")
    .option("--junit <file>", "write the results as JUnit XML")
    .option("--html <file>", "write the results as one page with curves, to open in a browser")
    .action(async (file: string, options: RigOptions, command: Command) =>
      ended((await import("./run-rig-verb.ts")).runRigVerb(file, options, verbContext(command).out)),
    );
}
