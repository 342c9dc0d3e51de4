import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AxisStatus, Order } from "@servofleet/contracts";
import { ScriptedBridge } from "@servofleet/controller/testing/scripted-bridge";
import { type ChildProcessBus, parentProcessBus } from "@servofleet/runtime/child-process-bus";
import { parseFleet } from "@servofleet/runtime/fleet-file";
import { systemClock } from "@servofleet/runtime/system-clock";
import { CrashError } from "./crash-error.ts";
import { CRASH_FLEET } from "./crash-fleet.ts";
import type { Weakness } from "./log-life-plan.ts";

/** Compiled once, as the services of a box have it (bin/node-settings.ts). */
const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/servofleet", import.meta.url));
const SCRIPT = fileURLToPath(new URL("controller-life.ts", import.meta.url));
const clock = systemClock();
/** A motion takes so long, so that a kill also falls into one. */
const MOTION_MS = 3;
const ANSWER_LIMIT_MS = 30_000;
const axes = parseFleet(CRASH_FLEET, "fleet.yaml").axes;

/** Names of the axes. */
export const CRASH_AXES: readonly string[] = axes.map(({ id }) => id);

/** An answer of the write API. */
export interface CrashAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How a controller differs from the plain one. */
export interface ControllerOptions {
  readonly weakness?: Weakness;
  /** Of the process: the recorder's, where its disk is to misbehave. */
  readonly env?: NodeJS.ProcessEnv;
  /** Name of its socket, where two live over one directory. */
  readonly socket?: string;
}

/** One controller in a process of its own, with its bridge here. Make it early: it waits loaded until `start`. */
export class ControllerProcess {
  readonly bus: ChildProcessBus = parentProcessBus(() => undefined);
  words = "";
  readonly #socketPath: string;
  readonly #child: ChildProcess;
  readonly #loaded: Promise<unknown>;
  readonly #ended: Promise<unknown>;
  #bridge: ScriptedBridge | undefined;

  constructor(directory: string, { weakness = "none", env = process.env, socket = "c" }: ControllerOptions = {}) {
    this.#socketPath = join(directory, `${socket}.sock`);
    this.#child = fork(SCRIPT, [directory, weakness, socket], {
      serialization: "advanced",
      execArgv: ["--no-warnings"],
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env, UV_THREADPOOL_SIZE: "16" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#loaded = this.#says("loaded");
    this.#loaded.catch(() => undefined);
    this.#ended = once(this.#child, "exit");
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.words = (this.words + text).slice(-4000);
    });
  }

  get bridge(): ScriptedBridge {
    if (!this.#bridge) throw new CrashError("life-failed", {}, "the controller has not been started");
    return this.#bridge;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Starts to serve; the drives stand as `drives` tells. `onOrder` hears each order before its drive does. */
  async start(drives: ReadonlyMap<string, AxisStatus> = new Map(), onOrder?: (order: Order) => void): Promise<void> {
    await this.#loaded;
    this.bus.attach(this.#child);
    const bridge = new ScriptedBridge({ bus: this.bus, clock, axes, bridgeBoot: `bridge-${this.pid}` });
    for (const [axis, status] of drives)
      bridge.status.set(axis as AxisStatus["axis"], { ...status, moving: false, stopGeneration: 0, reads: 2 });
    bridge.onOrder = (order) => {
      onOrder?.(order);
      bridge.move(order);
      clock.after(MOTION_MS, () => bridge.finish(order));
    };
    this.#bridge = bridge;
    const serving = this.#says("serving");
    this.#child.send("go");
    await serving;
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.ended) this.#child.kill(signal);
  }

  /** Exit code, null after a signal. */
  async end(): Promise<number | null> {
    await this.#ended;
    this.#bridge?.die();
    await this.bus.close();
    return this.#child.exitCode;
  }

  /** Rejects when the controller is gone or does not answer. */
  ask(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<CrashAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.#socketPath,
          method,
          path,
          timeout: ANSWER_LIMIT_MS,
          headers: { ...(text ? { "content-type": "application/json" } : {}), ...headers },
        },
        (incoming) => {
          let answer = "";
          incoming.setEncoding("utf8").on("data", (part: string) => {
            answer += part;
          });
          incoming.on("error", reject);
          incoming.on("end", () =>
            resolve({ status: incoming.statusCode ?? 0, body: answer ? JSON.parse(answer) : {} }),
          );
        },
      );
      outgoing.on("timeout", () =>
        outgoing.destroy(new CrashError("no-answer", { method, path }, "the controller hangs")),
      );
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  }

  /** Waits until every axis may move. */
  async ready(): Promise<void> {
    for (;;) {
      const answer = await this.ask("GET", "/readyz").catch(() => undefined);
      if (answer?.status === 200) return;
      if (this.ended)
        throw new CrashError("life-failed", { words: this.words }, "the controller ended before it was ready");
      await new Promise<void>((resolve) => clock.after(5, resolve));
    }
  }

  #says(word: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.on("message", (message) => {
        if (message === word) resolve();
      });
      this.#child.once("exit", (code, signal) =>
        reject(
          new CrashError("life-failed", { code, signal, words: this.words }, `the controller ended before "${word}"`),
        ),
      );
    });
  }
}
