import { resolve } from "node:path";
import { Command, type CommanderError, InvalidArgumentError } from "commander";
import { defaultUrl, gatewayUrl } from "./environment.ts";
import { explain, usageExit, wantsJson } from "./exit.ts";
import { addBlackBoxVerb } from "./verbs/black-box-verb.ts";
import { addLogVerbs } from "./verbs/log-verbs.ts";
import { addMotionVerbs } from "./verbs/motion-verbs.ts";
import { addProgramVerbs } from "./verbs/program-verbs.ts";
import { addReadVerbs } from "./verbs/read-verbs.ts";
import { addRigVerbs } from "./verbs/rig-verb.ts";
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
    .option("--json", "one JSON document per line on stdout (failures on stderr), for programs")
    .option("--url <url>", "address of the gateway", usable(gatewayUrl), defaultUrl(process.env))
    .option(
      "--data <directory>",
      "data directory of the box",
      usable(resolve),
      resolve(process.env["SERVOFLEET_DATA"] || "./data"),
    )
    .exitOverride(usageExit as (error: CommanderError) => never)
    .configureOutput({ outputError: (text, write) => write(usageText(text)) })
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .showHelpAfterError(wantsJson(process.argv) ? false : "(servofleet --help lists the verbs)")
    .addHelpText("after", MORE);
  addServiceVerbs(program);
  addReadVerbs(program);
  addBlackBoxVerb(program);
  addMotionVerbs(program);
  addProgramVerbs(program);
  addLogVerbs(program);
  addToolVerbs(program);
  addRigVerbs(program);
  return program;
}

const MORE = `
Where: --url, else SERVOFLEET_URL, else http://127.0.0.1 with SERVOFLEET_PORT, else port 8080.
       --data, else SERVOFLEET_DATA, else ./data; for a box started by \`up\` name the \`data\` of its fleet.yaml.
       \`stop\` asks the controller's socket in the data directory when the gateway is dead; \`log\` reads the files there.
Ctrl-C on demo and up stops the axes first. Pressed again after a second it sends every axis a software stop, also those
that onShutdown lets finish.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage. SERVOFLEET_LOG=info shows what the services do.`;

/** A reader of an option: what it cannot read is wrong usage, with its own words. */
const usable =
  (read: (text: string) => string) =>
  (text: string): string => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError(explain(error));
    }
  };

/** Commander complains in words; a program asked for a document. */
function usageText(text: string): string {
  if (!wantsJson(process.argv)) return text;
  const [message, ...hints] = text
    .trim()
    .replace(/^error: /, "")
    .split("\n");
  return `${JSON.stringify({ error: { code: "wrong-usage", message, hint: hints.join(" "), facts: null } })}\n`;
}
