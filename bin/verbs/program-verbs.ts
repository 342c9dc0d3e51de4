import type { Command } from "commander";
import { addProgram, armProgram, dryRunProgram, listPrograms } from "./program-calls.ts";
import { diffRuns, sayToRun, showRuns, startRun } from "./run-calls.ts";
import { ended, untilInterrupted, verbContext } from "./verb-context.ts";

const WORDS = {
  pause: "begin no further step; what runs runs to its end",
  resume: "go on, or let an offered way back go ahead",
  abort: "halt the axes of the run and compensate",
} as const;

/** Programs (sagas over several axes) and their runs. */
export function addProgramVerbs(program: Command): void {
  const programs = program.command("program").description("programs: steps over several axes, with what undoes them");
  programs
    .command("add <file>")
    .description("define a program from a YAML or JSON file")
    .action((file: string, _options, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(addProgram(target, out, file));
    });
  programs
    .command("list")
    .description("every program, and whether its triggers are armed")
    .action((_options, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(listPrograms(target, out));
    });
  programs
    .command("dry-run <program>")
    .description("what would keep a run back; touches no bus")
    .action((name: string, _options, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(dryRunProgram(target, out, name));
    });
  for (const what of ["arm", "disarm"] as const) {
    programs
      .command(`${what} <program>`)
      .description(
        what === "arm" ? "let its triggers start it, until any stop or a restart" : "let them start it no more",
      )
      .action((name: string, _options, command: Command) => {
        const { target, out } = verbContext(command);
        return ended(armProgram(target, out, name, what));
      });
  }
  addRunVerbs(program);
}

function addRunVerbs(program: Command): void {
  program
    .command("run <program>")
    .description("start a run of a program")
    .option("--wait", "until it has ended", false)
    .action((name: string, { wait }: { wait: boolean }, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(startRun(target, out, name, wait, untilInterrupted()));
    });
  program
    .command("runs [run]")
    .description("the newest runs, or one with its steps")
    .option("--program <program>", "of this program only")
    .action((runId: string | undefined, options: { program?: string }, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(showRuns(target, out, runId, options.program));
    });
  for (const what of Object.keys(WORDS) as (keyof typeof WORDS)[]) {
    program
      .command(`${what} <run>`)
      .description(WORDS[what])
      .action((runId: string, _options, command: Command) => {
        const { target, out } = verbContext(command);
        return ended(sayToRun(target, out, runId, what));
      });
  }
  program
    .command("diff <run> <other>")
    .description("two runs of one program side by side")
    .action((first: string, second: string, _options, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(diffRuns(target, out, first, second));
    });
}
