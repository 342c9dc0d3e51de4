import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Clock } from "@servofleet/runtime/clock";
import { compiledProgram } from "./compiled-program.ts";
import { LineError } from "./line-error.ts";

const SOURCE = fileURLToPath(new URL("./paced-line.c", import.meta.url));
const ANSWER_LIMIT_MS = 60_000;
const END_LIMIT_MS = 3000;

/** Share of the answers that are spoilt, in a million each; drawn by the line's seed. */
export interface LineFaults {
  readonly lossPpm?: number;
  readonly latePpm?: number;
  /** How late a late answer comes, microseconds. */
  readonly lateUs?: number;
  readonly flipPpm?: number;
  readonly noisePpm?: number;
  readonly twicePpm?: number;
}

/** The line and the units on it. */
export interface PacedLineOptions extends LineFaults {
  /** 1200 to 921600. */
  readonly baud: number;
  /** Bits of one character, start and stop included; 10 is 8N1. */
  readonly bits?: number;
  /** Units 1 to this answer. */
  readonly units: number;
  /** Silence that is owed before a request, microseconds. */
  readonly gapUs: number;
  /** Silence that a unit keeps before it answers, microseconds. */
  readonly replyGapUs: number;
  /** Work of a unit beyond its silence, microseconds; `jitterUs` adds 0 to so much. */
  readonly turnaroundUs?: number;
  readonly jitterUs?: number;
  /** Bytes handed over at once, as by a UART's FIFO. */
  readonly chunk?: number;
  /** A request that comes too soon is counted in any case; unless this is set, no unit hears it. */
  readonly hearShortGaps?: boolean;
  readonly seed?: number;
  /** Core that the line is bound to. */
  readonly core?: number;
}

/** Figures since the last reset. */
export interface LineFigures {
  readonly spanNs: number;
  /** Whole frames heard. */
  readonly requests: number;
  readonly replies: number;
  /** Times that two talked at once; both frames were spoilt. */
  readonly collisions: number;
  /** Requests that came before the silence was over. */
  readonly shortGaps: number;
  /** Requests that were no frame: a piece, or a wrong CRC. */
  readonly badFrames: number;
  /** Bytes that the reader of the line had no room for. */
  readonly lostBytes: number;
  readonly lost: number;
  readonly late: number;
  readonly flipped: number;
  readonly noisy: number;
  readonly twice: number;
  /** Time that bytes were on the wire, by the line's own account. */
  readonly wireNs: number;
  /** Shortest silence before a request, microseconds; -1 when there was none. */
  readonly minGapUs: number;
  /** How late the line itself was with its chunks, microseconds. */
  readonly chunks: number;
  readonly errorP50Us: number;
  readonly errorP99Us: number;
  readonly errorMaxUs: number;
  /** Answers by unit, unit 1 first. */
  readonly unitReplies: readonly number[];
}

/** A write that a unit has heard. */
export interface WriteHeard {
  readonly unit: number;
  readonly function: number;
  readonly address: number;
  readonly value: number;
  /** Arrival of its first byte at the line, monotonic ns of the host, decimal digits. */
  readonly atNs: string;
}

/** A running line; whoever started it must stop it. */
export interface PacedLine {
  /** Opens like a serial port. */
  readonly path: string;
  readonly pid: number;
  /** Whether the system gave it real-time priority. */
  readonly realtime: boolean;
  figures(): Promise<LineFigures>;
  /** Figures until now; counts anew. */
  taken(): Promise<LineFigures>;
  /** Changes settings of the running line; resolves when it has taken them over. */
  set(options: Partial<PacedLineOptions>): Promise<void>;
  /** A dead unit hears and never answers. */
  kill(unit: number, dead: boolean): Promise<void>;
  /** Tells of every write that a unit heard. */
  onWrite(listener: (write: WriteHeard) => void): Promise<void>;
  stop(): Promise<void>;
}

/** Builds the line's program if need be and starts it. Throws LineError. */
export async function startPacedLine(options: PacedLineOptions, clock: Clock): Promise<PacedLine> {
  const child = spawn(await compiledProgram(SOURCE), [JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const talk = new LineTalk(child, clock);
  const { path, realtime } = (await talk.first) as { path: string; realtime: boolean };
  return {
    path,
    realtime,
    pid: child.pid ?? 0,
    figures: () => talk.ask({}),
    taken: () => talk.ask({ reset: true }),
    set: async (change) => void (await talk.ask(change)),
    kill: async (unit, dead) => void (await talk.ask({ unit, dead })),
    async onWrite(listener) {
      talk.onWrite = listener;
      await talk.ask({ watch: true });
    },
    stop: () => talk.end(),
  };
}

/** Lines of JSON in both directions. */
class LineTalk {
  readonly first: Promise<unknown>;
  onWrite: (write: WriteHeard) => void = () => undefined;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #gone: Promise<void>;
  readonly #waiting = new Map<number, PromiseWithResolvers<LineFigures>>();
  #asked = 0;

  constructor(child: ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    const ready = Promise.withResolvers<unknown>();
    this.first = ready.promise;
    // What it is told after its end has nobody to read it; that it ended is told by its exit.
    child.stdin?.on("error", () => undefined);
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const told = JSON.parse(line) as { event?: string; id?: number };
      if (told.event === "ready") ready.resolve(told);
      else if (told.event === "write") this.onWrite(told as unknown as WriteHeard);
      else this.#waiting.get(told.id ?? 0)?.resolve(told as unknown as LineFigures);
    });
    this.#gone = new Promise((resolve) => {
      const ended = (cause: unknown) => {
        const error = new LineError("line-ended", { cause: String(cause) }, "the paced line ended; see what it said");
        ready.reject(error);
        for (const { reject } of this.#waiting.values()) reject(error);
        resolve();
      };
      child.once("exit", (code, signal) => ended(code ?? signal));
      child.once("error", ended);
    });
  }

  ask(command: object): Promise<LineFigures> {
    const id = ++this.#asked;
    const asking = Promise.withResolvers<LineFigures>();
    this.#waiting.set(id, asking);
    const limit = this.#clock.after(ANSWER_LIMIT_MS, () =>
      asking.reject(new LineError("no-answer", { limitMs: ANSWER_LIMIT_MS }, "the paced line does not answer")),
    );
    this.#child.stdin?.write(`${JSON.stringify({ id, ...command })}\n`);
    return asking.promise.finally(() => {
      limit.cancel();
      this.#waiting.delete(id);
    });
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    const limit = this.#clock.after(END_LIMIT_MS, () => this.#child.kill("SIGKILL"));
    await this.#gone;
    limit.cancel();
  }
}
