import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "@servofleet/runtime/fake-clock";
import { CrashError } from "./crash-error.ts";
import { recorderEnvironment } from "./disk-recorder.ts";
import { type DiskEvent, parseDiskTrace } from "./disk-trace.ts";
import { type LogLife, type Weakness, WORKLOADS, type Workload } from "./log-life-plan.ts";
import { PowerCutDisk } from "./power-cut-disk.ts";

const SCRIPT = fileURLToPath(new URL("log-life.ts", import.meta.url));

/** Runs the lives of a workload below `root` under the recorder and gives what they did to their disk. Rejects with CrashError. */
export async function recordLives(root: string, workload: Workload, weakness: Weakness): Promise<DiskEvent[]> {
  const directory = join(root, "disk");
  const traceFile = join(root, "trace");
  await mkdir(directory, { recursive: true });
  const env = await recorderEnvironment({ directory, traceFile });
  for (const plan of WORKLOADS[workload]) {
    const ended = await runLife({ ...plan, directory, weakness }, env);
    const asPlanned = plan.end === "kill" ? ended.signal === "SIGKILL" : ended.code === 0;
    if (!asPlanned) throw new CrashError("life-failed", ended, "a life of the log ended otherwise");
  }
  const events = parseDiskTrace(await readFile(traceFile));
  await expectSameDisk(events, directory);
  return events;
}

/** How a life ended, and its last words. */
export interface LifeEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly words: string;
  readonly [more: string]: unknown;
}

/** Runs one life to its end. */
export async function runLife(life: LogLife, env: NodeJS.ProcessEnv): Promise<LifeEnd> {
  const child = spawn(process.execPath, ["--no-warnings", SCRIPT, JSON.stringify(life)], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words += text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, words };
}

/** The record is whole: played back without a cut it gives the very bytes that the lives left. */
async function expectSameDisk(events: readonly DiskEvent[], directory: string): Promise<void> {
  const disk = new PowerCutDisk();
  for (const event of events) disk.take(event);
  const played = disk.image("kept", seededRandom(1));
  const left = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  for (const name of left) {
    if (/-shm$|\.lock(\.owner|-journal)?$|^said$/.test(name)) continue;
    const bytes = await readFile(join(directory, name));
    if (!played.get(name)?.equals(bytes))
      throw new CrashError("trace-damaged", { name, length: bytes.length }, "the record misses a change of this file");
  }
  for (const name of played.keys())
    if (!left.includes(name)) throw new CrashError("trace-damaged", { name }, "the record misses a removal");
}
