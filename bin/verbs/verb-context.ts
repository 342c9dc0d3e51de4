import type { Command } from "commander";
import { dataPaths } from "../data-paths.ts";
import type { Target } from "./api-client.ts";
import { type Output, output } from "./output.ts";

/** Options that stand before the verb. */
interface GlobalOptions {
  readonly json?: boolean;
  readonly url: string;
  readonly data: string;
}

/** What every verb that talks to a running fleet needs, from the options before the verb. */
export interface VerbContext {
  readonly target: Target;
  readonly controllerSocket: string;
  readonly out: Output;
  readonly data: string;
}

export function verbContext(command: Command): VerbContext {
  const options = command.optsWithGlobals<GlobalOptions>();
  return {
    target: { kind: "url", url: options.url },
    controllerSocket: dataPaths(options.data).controllerSocket,
    out: output(options.json === true),
    data: options.data,
  };
}

/** A verb whose exit code is its result. */
export const ended = async (result: Promise<number>): Promise<void> => {
  process.exitCode = await result;
};

/** Aborts with Ctrl-C, for verbs that go on until then. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  process.once("SIGTERM", () => controller.abort());
  return controller.signal;
}
