import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { systemClock } from "@servofleet/runtime/system-clock";
import { log } from "./log.ts";
import { OTHER_STOP_LIMIT_MS } from "./stop-limits.ts";
import { endChild } from "./supervisor.ts";

const ENTRY = fileURLToPath(new URL("./servofleet.ts", import.meta.url));

/** What the simulators say once they can be used. */
export interface SimulatorsReady {
  readonly links: readonly { readonly id: string; readonly port?: number }[];
  /** Base address of their fault control. */
  readonly control: string;
}

/** The simulators ended instead of getting ready. */
class SimulatorsError extends Error {
  override readonly name = "SimulatorsError";
  readonly code = "simulators-ended";
  readonly facts = {};
  readonly hint = "see their message above";
  constructor() {
    super("the simulated drives did not start");
  }
}

/** Simulated drives in a process of their own. `ready` rejects when they end before they can be used. */
export function startSimulators(linksFile: string): { ready: Promise<SimulatorsReady>; stop(): Promise<void> } {
  const child: ChildProcess = spawn(process.execPath, [ENTRY, "sim", linksFile], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: { ...process.env, SERVOFLEET_CHILD: "1" },
  });
  const ready = new Promise<SimulatorsReady>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new SimulatorsError()));
    const output = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    output.once("line", (line) => resolve(JSON.parse(line) as SimulatorsReady));
  });
  const parts = { name: "simulators", stopLimitMs: OTHER_STOP_LIMIT_MS, clock: systemClock(), logger: log("demo") };
  // They are no service of a box: they know signals, and not the supervisor's words.
  return { ready, stop: () => endChild(child, parts, (running) => running.kill("SIGTERM")) };
}
