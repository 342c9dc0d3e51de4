import type { Command } from "commander";

/** Services of a box, each in its own process; `up` and `demo` start all of them. */
export function addServiceVerbs(program: Command): void {
  program
    .command("demo")
    .description("a whole box on simulated drives behind real serial lines and TCP ports (what `npm start` runs)")
    .action(async (_options, command: Command) =>
      (await import("../demo.ts")).runDemo(command.optsWithGlobals<{ json?: boolean }>().json === true),
    );
  program
    .command("up")
    .description("every service this box needs")
    .requiredOption("--config <file>", "fleet.yaml")
    .action(async (options: { config: string }, command: Command) =>
      (await import("../up.ts")).runUp(options.config, command.optsWithGlobals<{ json?: boolean }>().json === true),
    );
  const service = (verb: string, description: string, run: (config: string) => Promise<void>) =>
    program
      .command(verb)
      .description(description)
      .requiredOption("--config <file>", "fleet.yaml")
      .action((options: { config: string }) => run(options.config));
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
