import { type ChildProcess, spawn } from "node:child_process";
import { systemClock } from "@servofleet/runtime/system-clock";
import { ForeignError } from "./foreign-error.ts";

/** Python on a busy machine takes its time. */
const READY_LIMIT_MS = 60_000;
const END_LIMIT_MS = 5000;

/** A program of somebody else, started for one test. */
export interface ForeignProcess {
  /** The text that showed that it serves. */
  readonly ready: string;
  readonly running: boolean;
  /** Sends the signal and resolves when it is gone; harmless when it is gone already. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts it and resolves when stdout or stderr matches `ready`. @throws ForeignError `not-ready` */
export async function startForeign(command: string, args: readonly string[], ready: RegExp): Promise<ForeignProcess> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const end = (signal: NodeJS.Signals = "SIGTERM") => ended(child, signal);
  try {
    const matched = await said(child, command, ready);
    return {
      ready: matched,
      get running() {
        return child.exitCode === null && child.signalCode === null;
      },
      end,
    };
  } catch (error) {
    await end("SIGKILL");
    throw error;
  }
}

function said(child: ChildProcess, command: string, ready: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (why: string) => {
      limit.cancel();
      reject(new ForeignError("not-ready", { command, why, said: text }, "read what it said"));
    };
    const limit = systemClock().after(READY_LIMIT_MS, () => fail(`nothing within ${READY_LIMIT_MS} ms`));
    const hear = (chunk: Buffer) => {
      text += chunk.toString();
      const match = ready.exec(text);
      if (!match) return;
      limit.cancel();
      resolve(match[0]);
    };
    // Both stay read for ever: a program whose pipe is full stands still.
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => fail(`ended with ${signal ?? code}`));
  });
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const limit = systemClock().after(END_LIMIT_MS, () => child.kill("SIGKILL"), true);
    child.once("exit", () => {
      limit.cancel();
      resolve();
    });
    child.kill(signal);
  });
}
