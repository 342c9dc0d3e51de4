import type { Command } from "commander";
import { portOf } from "../environment.ts";

interface GlobalOptions {
  readonly json?: boolean;
  readonly data: string;
}

/** Services of a box, each in its own process; `up` and `demo` start all of them. */
export function addServiceVerbs(program: Command): void {
  program
    .command("demo")
    .description("a whole box on simulated drives behind real serial lines and TCP ports (what `npm start` runs)")
    .action(async (_options, command: Command) => {
      const json = takeEnvironment(command);
      await (await import("../demo.ts")).runDemo(json);
    });
  program
    .command("up")
    .description("every service this box needs")
    .requiredOption("--config <file>", "fleet.yaml")
    .action(async (options: { config: string }, command: Command) => {
      const json = takeEnvironment(command);
      await (await import("../up.ts")).runUp(options.config, json);
    });
  addSingleServices(program);
}

function addSingleServices(program: Command): void {
  const service = (verb: string, description: string, run: (config: string) => Promise<void>) =>
    program
      .command(verb)
      .description(description)
      .requiredOption("--config <file>", "fleet.yaml")
      .action((options: { config: string }, command: Command) => {
        takeEnvironment(command);
        return run(options.config);
      });
  service("controller", "the write side alone: decides, logs, dispatches", async (config) =>
    (await import("../services/controller-service.ts")).runController(config),
  );
  service("bridge", "the bus side alone (needs messaging: nats://...)", async (config) =>
    (await import("../services/bridge-service.ts")).runBridge(config),
  );
  service("dashboard", "the read side alone", async (config) =>
    (await import("../services/dashboard-service.ts")).runDashboard(config),
  );
  service("gateway", "the public port alone", async (config) =>
    (await import("../services/gateway-service.ts")).runGateway(config),
  );
}

/** `--data` on the command line beats SERVOFLEET_DATA beats the file; children inherit it. Returns whether `--json` was asked for. */
function takeEnvironment(command: Command): boolean {
  portOf(process.env);
  const { json, data } = command.optsWithGlobals<GlobalOptions>();
  if (command.getOptionValueSourceWithGlobals("data") === "cli") process.env["SERVOFLEET_DATA"] = data;
  return json === true;
}
