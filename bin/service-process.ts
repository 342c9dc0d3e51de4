import type { ServiceMessage, SupervisorMessage } from "./supervisor.ts";

/** A terminal sends Ctrl-C to every process of the group, and impatient people press it again: one request, not three. */
export const REPEATED_SIGNAL_MS = 1000;
/** Exit code of a poisoned event log: only a restart reads the truth from the disk again (EX_SOFTWARE of sysexits). */
export const EXIT_POISONED = 70;

/**
 * Calls `stop` once, on the first request to end: SIGTERM, the supervisor's word, the supervisor's death, and SIGINT where
 * this process owns the terminal. The process then exits with `stop`'s code.
 */
export function onShutdownRequest(stop: (reason: string) => Promise<number>): void {
  const isChild = process.env["SERVOFLEET_CHILD"] === "1";
  let asked = false;
  const request = (reason: string): void => {
    if (asked) return;
    asked = true;
    stop(reason).then(
      (code) => process.exit(code),
      (error: unknown) => {
        process.stderr.write(`while stopping: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => request("SIGTERM"));
  process.on("SIGHUP", () => request("SIGHUP"));
  process.on("SIGINT", () => isChild || request("SIGINT"));
  if (!isChild) return;
  process.on(
    "message",
    (message: SupervisorMessage) => message.type === "shut-down" && request("the supervisor asked for it"),
  );
  process.on("disconnect", () => request("the supervisor died"));
}

/** Tells the supervisor, if there is one, that the service can be used. */
export function sayReady(address?: string): void {
  const message: ServiceMessage = { type: "ready", ...(address === undefined ? {} : { address }) };
  if (process.send && process.connected) process.send(message);
}
