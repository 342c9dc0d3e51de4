import { systemClock } from "@servofleet/runtime/system-clock";
import { outliveBrokenPipes } from "./broken-pipe.ts";
import type { ServiceMessage, SupervisorMessage } from "./supervisor.ts";

/** A terminal sends Ctrl-C to every process of the group, and impatient people press it again: one request, not three. */
export const REPEATED_SIGNAL_MS = 1000;
/** Exit code of a poisoned event log: only a restart reads the truth from the disk again (EX_SOFTWARE of sysexits). */
export const EXIT_POISONED = 70;

/** Why a process was asked to end. */
export type ShutdownReason = "SIGTERM" | "SIGHUP" | "SIGINT" | "asked by its parent" | "its parent died";

/**
 * Calls `stop` once, on the first request to end: SIGTERM, the parent's word, the parent's death, and SIGINT where this
 * process owns the terminal. The process then exits with `stop`'s code. A later request calls `hasten`, when it comes
 * after the repeats of the first.
 */
export function onShutdownRequest(stop: (reason: ShutdownReason) => Promise<number>, hasten?: () => void): void {
  const isChild = isSupervised();
  const clock = systemClock();
  let askedAtMs: number | undefined;
  outliveBrokenPipes();
  const request = (reason: ShutdownReason): void => {
    if (askedAtMs !== undefined) {
      if (clock.monotonicMs() - askedAtMs > REPEATED_SIGNAL_MS) hasten?.();
      return;
    }
    askedAtMs = clock.monotonicMs();
    stop(reason).then(
      (code) => process.exit(code),
      (error: unknown) => {
        process.stderr.write(`while stopping: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => request(signal));
  process.on("SIGINT", () => isChild || request("SIGINT"));
  if (!isChild) return;
  process.on("message", (message: SupervisorMessage) => message.type === "shut-down" && request("asked by its parent"));
  process.on("disconnect", () => request("its parent died"));
  // The parent may have died before anybody listened.
  if (!process.connected) request("its parent died");
}

/** Started by a process of ours: it owns the terminal's signals and the channel to it is our life line. */
const isSupervised = (): boolean => process.env["SERVOFLEET_CHILD"] === "1" && process.send !== undefined;

/** From the first moment on: a Ctrl-C while a service starts belongs to its parent too. */
export function leaveSignalsToParent(): void {
  if (isSupervised()) process.on("SIGINT", () => undefined);
}

/** Tells the supervisor, if there is one, that the service can be used. */
export function sayReady(address?: string): void {
  const message: ServiceMessage = { type: "ready", ...(address === undefined ? {} : { address }) };
  if (process.send && process.connected) process.send(message);
}
