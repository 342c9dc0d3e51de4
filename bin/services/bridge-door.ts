import { chmodSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import type { Clock } from "@servofleet/runtime/clock";

/** What a successor says at the door; whoever only waits for the end says nothing. */
const KNOCK = "successor";
const CALLERS_MAX = 8;

/**
 * A bridge that outlives its controller still holds the lines, and while it does no stop of the next controller reaches a
 * drive. It stands behind this socket: the signal aborts when its successor knocks. The connection closes with the
 * process, however it ends, and the path is left to the successor.
 */
export function openBridgeDoor(path: string): Promise<AbortSignal> {
  const knocked = new AbortController();
  const server = createServer((caller) => {
    caller.on("error", () => undefined);
    caller.on("data", (said) => said.toString().includes(KNOCK) && knocked.abort());
    caller.unref();
  });
  server.maxConnections = CALLERS_MAX;
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      chmodSync(path, 0o660);
      server.unref();
      resolve(knocked.signal);
    });
  });
}

/** Waits until no bridge stands behind the socket, or for `limitMs`; a successor asks it to hurry. False when it is still there. */
export function bridgeGone(
  path: string,
  as: "successor" | "bystander",
  clock: Clock,
  limitMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const caller: Socket = createConnection(path);
    const end = (gone: boolean): void => {
      limit.cancel();
      caller.destroy();
      resolve(gone);
    };
    const limit = clock.after(limitMs, () => end(false));
    caller.once("connect", () => as === "successor" && caller.write(KNOCK));
    caller.on("data", () => undefined);
    caller.once("error", () => end(true));
    caller.once("close", () => end(true));
  });
}
