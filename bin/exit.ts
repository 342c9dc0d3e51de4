import type { CommanderError } from "commander";

/** Exit codes of every verb. */
export const DONE = 0;
/** Refused or failed. */
export const FAILED = 1;
export const WRONG_USAGE = 2;

/** The command line itself cannot be meant: a wrong address, a file that is not there. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "wrong-usage";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(what: string, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(what);
    this.facts = facts;
    this.hint = hint;
  }
}

/** What an error of ours says beside its message. */
interface Told {
  readonly code?: unknown;
  readonly facts?: unknown;
  readonly hint?: unknown;
}

const told = (error: Error): Told => error as Told;

/** What went wrong and what to do, without a stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { hint } = told(error);
  return typeof hint === "string" && !error.message.includes(hint) ? `${error.message}\n  ${hint}` : error.message;
}

/** 2 for what was asked wrongly, wherever that was noticed; 1 for what was refused or failed. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Error)) return FAILED;
  const { code, facts } = told(error);
  const status = typeof facts === "object" && facts !== null && "status" in facts ? facts.status : undefined;
  const misused = code === "wrong-usage" || code === "unreadable" || status === 400;
  return misused ? WRONG_USAGE : FAILED;
}

/** On stderr: words for a person, one JSON document for a program. stdout stays with answers. */
export function tellFailure(error: unknown, json: boolean): void {
  process.stderr.write(`${json ? JSON.stringify({ error: failureDocument(error) }) : explain(error)}\n`);
}

function failureDocument(error: unknown): object {
  if (!(error instanceof Error)) return { code: "failed", message: String(error), hint: null, facts: null };
  const { code, hint, facts } = told(error);
  return { code: code ?? "failed", message: error.message, hint: hint ?? null, facts: facts ?? null };
}

/** Known before the command line is understood, so that also its own complaints can be read by programs. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

/** Commander's own complaints are wrong usage; asking for help or the version is not. */
export function usageExit(error: CommanderError): never {
  process.exit(error.exitCode === 0 ? DONE : WRONG_USAGE);
}
