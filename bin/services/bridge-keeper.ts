import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ChildProcessBus } from "@servofleet/runtime/child-process-bus";
import { type Clock, sleep, type Timer } from "@servofleet/runtime/clock";
import type { Logger } from "pino";
import { RESTART_MAX_MS, RESTART_MIN_MS, stopChild } from "../supervisor.ts";

const ENTRY = fileURLToPath(new URL("../servofleet.ts", import.meta.url));
/** A bridge that lived this long starts its successor at once. */
const LIVED_MS = 5000;
/**
 * A bridge that has not spoken yet is given this long: a silence that began before it was started is not its own, and a
 * slow box that starts everything at once takes its time.
 */
const FIRST_WORD_MS = 20_000;
/** For starting, opening the lines, reading every axis twice, and missing the controller. */
const LAST_LOOK_MS = 3000;

/**
 * The controller's child: serialport is not safe in worker threads, and HTTP, JSON and garbage collection must never
 * delay a serial turn-around. A bridge that dies or hangs is replaced; the bus then speaks with its successor.
 */
export class BridgeKeeper {
  readonly #configFile: string;
  readonly #bus: ChildProcessBus;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopLimitMs: number;
  #child: ChildProcess | null = null;
  #startedAtMs = 0;
  #spoken = false;
  #pauseMs = RESTART_MIN_MS;
  #restart: Timer | undefined;
  #stopping = false;

  constructor(configFile: string, bus: ChildProcessBus, clock: Clock, logger: Logger, stopLimitMs: number) {
    this.#configFile = configFile;
    this.#bus = bus;
    this.#clock = clock;
    this.#logger = logger;
    this.#stopLimitMs = stopLimitMs;
    this.#start();
  }

  /** The bridge was not heard: a hanging process is killed, and its successor starts when it is gone. */
  replace(): void {
    const isNew = !this.#spoken && this.#clock.monotonicMs() - this.#startedAtMs < FIRST_WORD_MS;
    if (!isNew) this.#child?.kill("SIGKILL");
  }

  /**
   * After the controller has told it to shut down: waits for its end, with a limit. One that had to be killed, or was dead
   * already, has stopped nothing: another one looks for axes that still move, without a controller, and stops them by `onControllerLost`.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#restart?.cancel();
    const child = this.#child;
    await this.#end(child);
    if (child?.exitCode === 0) return;
    this.#logger.error({ lookMs: LAST_LOOK_MS }, "the bridge did not end in order; another one stops what still moves");
    const last = this.#fork();
    await sleep(this.#clock, LAST_LOOK_MS);
    await this.#end(last);
  }

  #end(child: ChildProcess | null): Promise<void> {
    return stopChild(child, {
      name: "bridge",
      stopLimitMs: this.#stopLimitMs,
      clock: this.#clock,
      logger: this.#logger,
    });
  }

  #start(): void {
    this.#startedAtMs = this.#clock.monotonicMs();
    const child = this.#fork();
    this.#child = child;
    this.#spoken = false;
    child.once("message", () => {
      this.#spoken = true;
    });
    child.once("exit", (code, signal) => this.#onExit(code, signal));
    this.#bus.attach(child);
  }

  #fork(): ChildProcess {
    const child = fork(ENTRY, ["bridge", "--config", this.#configFile], {
      serialization: "advanced",
      env: { ...process.env, SERVOFLEET_CHILD: "1", SERVOFLEET_BRIDGE_PARENT: String(process.pid) },
    });
    child.on("error", (error) => this.#logger.error({ error: error.message }, "the bridge could not be started"));
    return child;
  }

  #onExit(code: number | null, signal: string | null): void {
    this.#child = null;
    if (this.#stopping) return;
    if (this.#clock.monotonicMs() - this.#startedAtMs > LIVED_MS) this.#pauseMs = RESTART_MIN_MS;
    this.#logger.error({ code, signal, pauseMs: this.#pauseMs }, "the bridge ended; a new one is started");
    this.#restart = this.#clock.after(this.#pauseMs, () => this.#start());
    this.#pauseMs = Math.min(this.#pauseMs * 2, RESTART_MAX_MS);
  }
}
