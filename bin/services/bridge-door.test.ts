import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bridgeGone } from "./bridge-door.ts";

const DOOR = fileURLToPath(new URL("./bridge-door.ts", import.meta.url));
/** A bridge in a process of its own, which leaves when it is asked to by a successor. */
const BRIDGE = `
import { openBridgeDoor } from ${JSON.stringify(DOOR)};
const successor = await openBridgeDoor(process.argv[2]);
successor.addEventListener("abort", () => process.exit(0));
process.stdout.write("open\\n");
setInterval(() => undefined, 1000);
`;
const LONG_MS = 60_000;

let directory: string;
let path: string;
const bridges: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "door-"));
  path = join(directory, "bridge.sock");
  writeFileSync(join(directory, "bridge.mjs"), BRIDGE);
});
afterEach(() => {
  for (const bridge of bridges.splice(0)) bridge.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

async function startBridge(): Promise<ChildProcess> {
  const bridge = spawn(process.execPath, [join(directory, "bridge.mjs"), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  bridges.push(bridge);
  await new Promise((resolve) => bridge.stdout?.once("data", resolve));
  return bridge;
}

test("where no bridge is, nobody waits: no socket, or one of a dead process", async () => {
  expect(await bridgeGone(path, "successor", systemClock(), LONG_MS)).toBe(true);
  const bridge = await startBridge();
  const dead = new Promise((resolve) => bridge.once("exit", resolve));
  bridge.kill("SIGKILL");
  await dead;
  expect(statSync(path).isSocket()).toBe(true);
  expect(await bridgeGone(path, "successor", systemClock(), LONG_MS)).toBe(true);
});

test("a bridge leaves for its successor, not for a bystander, who sees its end however it comes", async () => {
  const bridge = await startBridge();
  expect(await bridgeGone(path, "bystander", systemClock(), 200)).toBe(false);
  expect(bridge.exitCode).toBe(null);
  expect(await bridgeGone(path, "successor", systemClock(), LONG_MS)).toBe(true);
  const next = await startBridge();
  const gone = bridgeGone(path, "bystander", systemClock(), LONG_MS);
  next.kill("SIGKILL");
  expect(await gone).toBe(true);
});

test("a bridge that hangs is waited for no longer than the limit", async () => {
  const bridge = await startBridge();
  bridge.kill("SIGSTOP");
  expect(await bridgeGone(path, "successor", systemClock(), 200)).toBe(false);
});
