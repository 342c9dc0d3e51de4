import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./crash-writer.ts", import.meta.url));

/** A crash-writer process and what it has said so far. */
export class WriterProcess {
  readonly acked = new Map<string, number>();
  readonly lines: string[] = [];
  errors = "";
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;

  constructor(directory: string, { under = [] as readonly string[], inFlight = 32 } = {}) {
    const [command = "", ...args] = [...under, process.execPath, SCRIPT, directory, String(inFlight)];
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.#exit = once(this.#child, "close");
    let rest = "";
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#read(line);
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.errors += text;
    });
  }

  #read(line: string): void {
    const [word, position, id] = line.split(" ");
    if (word === "ack" && id) this.acked.set(id, Number(position));
    else this.lines.push(line);
  }

  /** The whole group: killing a tracer alone would set its writer free. */
  kill(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
  }

  /** Everything that was said has been read when this resolves. */
  async ended(): Promise<number | null> {
    await this.#exit;
    return this.#child.exitCode;
  }
}
