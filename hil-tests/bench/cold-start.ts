import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { askOnce } from "./bench-box.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import { atMost, type Measurement } from "./bench-result.ts";
import { longFleet, writeLongLog } from "./rebuild-long-log.ts";
import { startReadSide } from "./rebuild-read-side.ts";
import { median, rounded, spreadOf } from "./statistics.ts";

const LIMIT_MS = 2000;
const START_LIMIT_MS = 60_000;
const LOOK_MS = 5;
const ENTRY = fileURLToPath(new URL("../../bin/servofleet.ts", import.meta.url));
/** As every service of a box is started (bin/node-settings.ts). */
const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/servofleet", import.meta.url));

/** From the start of the read side's process on a long log to its first `ready`, its files being up to date. */
export async function coldStart(context: BenchContext): Promise<Measurement> {
  const { clock } = context;
  const runs = sized(context, 5, 2);
  const events = sized(context, 1_000_000, 40_000);
  const directory = join(context.directory, "cold-start");
  await mkdir(directory);
  try {
    context.say(`a log of ${events} events, and the files of its views ...`);
    await writeLongLog(directory, events);
    await (await startReadSide(directory, clock)).stop();
    // The first start ever compiles, and is not counted.
    await coldStartMs(directory, clock);
    const startsMs: number[] = [];
    for (let run = 0; run < runs; run++) startsMs.push(await coldStartMs(directory, clock));
    const value = median(startsMs);
    const bar = atMost(1);
    return {
      value,
      unit: "ms",
      reference: { name: "limit with 10 million events", value: LIMIT_MS },
      ratio: value / LIMIT_MS,
      bar: `<= ${LIMIT_MS} ms`,
      holds: bar.holds(value / LIMIT_MS),
      runs,
      spread: spreadOf(startsMs.map((ms) => ms / LIMIT_MS)),
      more: { events, slowest: rounded(Math.max(...startsMs)) },
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Starts the read side over the log of a directory as a process of its own, waits for `ready`, and ends it. */
export async function coldStartMs(directory: string, clock: Clock): Promise<number> {
  const config = join(directory, "fleet.yaml");
  // JSON is YAML.
  await writeFile(config, JSON.stringify(longFleet(directory)));
  const startMs = clock.monotonicMs();
  const child = spawn(process.execPath, ["--no-warnings", ENTRY, "dashboard", "--config", config], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, SERVOFLEET_DATA: directory, UV_THREADPOOL_SIZE: "16" },
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-2000);
  });
  try {
    await untilReady({ path: join(directory, "run", "dashboard.sock") }, child, clock, () => said);
    return clock.monotonicMs() - startMs;
  } finally {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null)
      await new Promise<void>((resolve) => child.once("exit", () => resolve()));
  }
}

async function untilReady(target: { path: string }, child: ChildProcess, clock: Clock, said: () => string) {
  const limitMs = clock.monotonicMs() + START_LIMIT_MS;
  for (;;) {
    const answer = await askOnce(target, "/readyz").catch(() => undefined);
    if (answer?.status === 200) return;
    if (child.exitCode !== null || clock.monotonicMs() > limitMs)
      throw new BenchError("too-slow", { said: said() }, "the read side does not become ready");
    await sleep(clock, LOOK_MS);
  }
}
