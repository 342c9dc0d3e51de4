import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Clock } from "@servofleet/runtime/clock";
import { BenchError } from "./bench-error.ts";

const MAIN = fileURLToPath(new URL("./worker-main.ts", import.meta.url));
const END_LIMIT_MS = 3000;

export interface Ask {
  readonly id: number;
  readonly call: string;
  readonly argument: unknown;
}
/** `id` of an ask that was answered, or `note` for what was not asked. */
export type Told =
  | { readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly note: unknown };

/** A part of a measurement in a process of its own, so that it takes no turn of anybody's loop. */
export interface Worker {
  readonly pid: number;
  /** Rejects with BenchError after `limitMs`, or when the worker ended or threw. */
  ask<T>(call: string, argument: unknown, limitMs: number): Promise<T>;
  onNote(listener: (note: unknown) => void): void;
  stop(): Promise<void>;
}

/** Starts the worker of `worker-main.ts` with this name. */
export function startWorker(name: string, clock: Clock): Worker {
  const child = fork(MAIN, [name], { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  let onNote: (note: unknown) => void = () => undefined;
  child.on("message", (told: Told) => {
    if ("note" in told) return onNote(told.note);
    const waiter = waiting.get(told.id);
    if (told.error === undefined) waiter?.resolve(told.value);
    else waiter?.reject(new BenchError("worker-failed", { name, error: told.error }, "a part of the bench failed"));
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void gone.then(() => {
    for (const { reject } of waiting.values())
      reject(new BenchError("worker-failed", { name }, "a part of the bench ended"));
  });
  return {
    pid: child.pid ?? 0,
    onNote: (listener) => {
      onNote = listener;
    },
    ask<T>(call: string, argument: unknown, limitMs: number): Promise<T> {
      const id = ++asked;
      const asking = Promise.withResolvers<unknown>();
      waiting.set(id, asking);
      const limit = clock.after(limitMs, () =>
        asking.reject(new BenchError("too-slow", { name, call, limitMs }, "a part of the bench hangs")),
      );
      child.send({ id, call, argument } satisfies Ask, (error) => error && asking.reject(error));
      return asking.promise.finally(() => {
        limit.cancel();
        waiting.delete(id);
      }) as Promise<T>;
    },
    async stop() {
      if (child.connected) child.disconnect();
      const limit = clock.after(END_LIMIT_MS, () => child.kill("SIGKILL"));
      if (child.exitCode === null && child.signalCode === null) await gone;
      limit.cancel();
    },
  };
}
