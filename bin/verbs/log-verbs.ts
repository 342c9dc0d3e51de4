import type { Command } from "commander";
import { wholeNumber } from "./number-argument.ts";
import { ended, verbContext } from "./verb-context.ts";

/** Verbs on the event log's files; none needs a running box. */
export function addLogVerbs(program: Command): void {
  const eventLog = program.command("log").description("the event log");
  eventLog
    .command("verify")
    .description(
      "walk the hash chain, the archives and the signatures; name the first position that does not fit, and why",
    )
    .option("--public-key <file>", "trust these keys (log.pub, copied away from the box) and no others")
    .option("--witness <file>", "a checkpoint kept elsewhere: the answer of an earlier `--json log verify`")
    .action(async (options: { publicKey?: string; witness?: string }, command: Command) => {
      const { out, data } = verbContext(command);
      return ended((await import("./log-verify.ts")).verifyLog(data, out, options));
    });
  eventLog
    .command("backup <directory>")
    .description("a verified copy of the log and its archives in a new directory, beside a running box too")
    .action(async (directory: string, _options, command: Command) => {
      const { out, data } = verbContext(command);
      return ended((await import("./log-copy.ts")).backUp(data, out, directory));
    });
  eventLog
    .command("restore <directory>")
    .description("put a backup in the place of the log, under a new log id; the box must not run")
    .option("--replace", "move the log that is there aside", false)
    .option("--public-key <file>", "trust these keys instead of those in the backup")
    .action(async (directory: string, options: { replace: boolean; publicKey?: string }, command: Command) => {
      const { out, data } = verbContext(command);
      return ended((await import("./log-copy.ts")).restore(data, out, directory, options));
    });
  eventLog
    .command("export")
    .description("every event as a CloudEvent, one JSON document per line")
    .option("--after <position>", "after this position", wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--until <position>", "up to this position, else all", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option("--output <file>", "into a new file instead of stdout")
    .action(async (options: { after: number; until?: number; output?: string }, command: Command) =>
      ended((await import("./log-copy.ts")).exportLog(verbContext(command).data, options)),
    );
}
