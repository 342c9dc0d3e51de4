import type { Command } from "commander";
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
}
