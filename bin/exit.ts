import type { CommanderError } from "commander";

/** Exit codes of every verb. */
export const DONE = 0;
/** Refused or failed. */
export const FAILED = 1;
export const WRONG_USAGE = 2;

/** What went wrong and what to do, without a stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint =
    "hint" in error && typeof error.hint === "string" && !error.message.includes(error.hint) ? `\n  ${error.hint}` : "";
  return `${error.message}${hint}`;
}

/** Commander's own complaints are wrong usage; asking for help or the version is not. */
export function usageExit(error: CommanderError): never {
  process.exit(error.exitCode === 0 ? DONE : WRONG_USAGE);
}
