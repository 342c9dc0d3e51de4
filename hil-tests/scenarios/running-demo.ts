import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../box/until.ts";
import { processesIn } from "./box-processes.ts";

const CLI = fileURLToPath(new URL("../../bin/servofleet.ts", import.meta.url));

/** One run of the command line with what it said so far; `code` is null while it runs. */
export interface Run {
  readonly child: ChildProcess;
  readonly data: string;
  stdout: string;
  stderr: string;
  code: number | null;
}

/** Directories and processes of demos, so that a failed test leaves none. */
export class Demos {
  readonly #runs: Run[] = [];
  readonly #directories: string[] = [];

  newDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), "demo-"));
    this.#directories.push(directory);
    return directory;
  }

  /** Starts `servofleet` with these words; everything it starts names the data directory. */
  start(data: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
    const child = spawn(process.execPath, [CLI, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, SERVOFLEET_DATA: data, SERVOFLEET_PORT: "0", ...env },
    });
    const run: Run = { child, data, stdout: "", stderr: "", code: null };
    child.stdout.on("data", (chunk: Buffer) => (run.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (run.stderr += chunk.toString()));
    child.once("close", (code) => (run.code = code ?? -1));
    this.#runs.push(run);
    return run;
  }

  /** Waits for the line that says where it listens. */
  async address(run: Run): Promise<string> {
    const { stdout } = await until(
      "the demo listens",
      () => run,
      ({ stdout: said, code }) => code !== null || /listening.*\n/.test(said),
      60_000,
    );
    const found = /http:\/\/[\d.]+:\d+/.exec(stdout)?.[0];
    if (!found) throw new Error(`no address: ${run.stdout}${run.stderr}`);
    return found;
  }

  async end(run: Run): Promise<number | null> {
    return (
      await until(
        "the command has ended",
        () => ({ code: run.code, stderr: run.stderr }),
        ({ code }) => code !== null,
        60_000,
      )
    ).code;
  }

  async cleanUp(): Promise<void> {
    for (const run of this.#runs.splice(0)) {
      if (run.code === null) run.child.kill("SIGINT");
      await this.end(run).catch(() => run.child.kill("SIGKILL"));
    }
    for (const directory of this.#directories.splice(0)) {
      for (const { pid } of processesIn(directory)) killIfThere(pid);
      // Who has just been killed may still be making a file.
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

/** It may have ended between the look and the signal. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
