import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { Logger } from "pino";
import { NODE_FLAGS, nodeEnvironment } from "./node-settings.ts";

/** Pause before a service that died is started again: doubled each time, reset once it has lived long enough. */
export const RESTART_MIN_MS = 100;
export const RESTART_MAX_MS = 5000;
export const LIVED_LONG_ENOUGH_MS = 10_000;
/** A start that takes longer than this is told, with the services that are waited for, and waited on. */
export const SLOW_START_MS = 15_000;

/** What a service tells its supervisor over the process channel. */
export type ServiceMessage = { readonly type: "ready"; readonly address?: string };
/** What the supervisor tells a service. Its own death (the channel closing) means the same. */
export type SupervisorMessage = { readonly type: "shut-down" };

export interface ServiceSpec {
  readonly name: string;
  /** Arguments of the command line, first the verb. */
  readonly args: readonly string[];
  /** How long it may take to stop before it is killed, ms. */
  readonly stopLimitMs: number;
}

interface Running {
  readonly spec: ServiceSpec;
  child: ChildProcess | null;
  startedAtMs: number;
  restartMs: number;
  restart: Timer | null;
  /** Port of the address it said; a successor takes the same one, also where the first was given any free one. */
  port: string | undefined;
}

export interface Supervisor {
  /** Resolves with the gateway's address once every service said that it is ready; rejects when one ends before its first `ready`. */
  readonly ready: Promise<string | undefined>;
  /** Stops the services one after the other in the order they were given, each with a limit. Idempotent. */
  stop(): Promise<void>;
  /** Process ids by service name, for tests and `doctor`. */
  pids(): Readonly<Record<string, number | undefined>>;
}

const ENTRY = fileURLToPath(new URL("./servofleet.ts", import.meta.url));

interface SupervisorParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
  /** The script that runs a service; the command line's own unless a test brings another. */
  readonly entry?: string;
}

/** Starts the services and keeps them alive: what dies is started again with back-off, and none waits for another. */
export function supervise(specs: readonly ServiceSpec[], parts: SupervisorParts): Supervisor {
  return new ServiceKeeper(specs, parts);
}

class ServiceKeeper implements Supervisor {
  readonly ready: Promise<string | undefined>;
  readonly #parts: SupervisorParts;
  readonly #services: readonly Running[];
  readonly #waiting: Set<string>;
  readonly #ready = Promise.withResolvers<string | undefined>();
  #address: string | undefined;
  #stopping: Promise<void> | undefined;
  readonly #slow: Timer;

  constructor(specs: readonly ServiceSpec[], parts: SupervisorParts) {
    this.#parts = parts;
    this.#waiting = new Set(specs.map((spec) => spec.name));
    this.ready = this.#ready.promise;
    // Whoever does not wait for readiness must not be killed by its rejection.
    this.ready.catch(() => undefined);
    this.#services = specs.map((spec) => ({
      spec,
      child: null,
      startedAtMs: 0,
      restartMs: RESTART_MIN_MS,
      restart: null,
      port: undefined,
    }));
    for (const service of this.#services) this.#start(service);
    this.#slow = parts.clock.every(SLOW_START_MS, () => this.#tellSlowStart());
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  pids(): Readonly<Record<string, number | undefined>> {
    return Object.fromEntries(this.#services.map((service) => [service.spec.name, service.child?.pid]));
  }

  async #stopAll(): Promise<void> {
    this.#slow.cancel();
    for (const service of this.#services) service.restart?.cancel();
    for (const { child, spec } of this.#services) await stopChild(child, { ...spec, ...this.#parts });
  }

  #tellSlowStart(): void {
    if (this.#waiting.size === 0) this.#slow.cancel();
    else this.#parts.logger.warn({ waitingFor: [...this.#waiting] }, "the start takes long");
  }

  #start(service: Running): void {
    const { spec } = service;
    const { clock, logger, env } = this.#parts;
    service.restart = null;
    service.startedAtMs = clock.monotonicMs();
    const samePort = service.port === undefined ? {} : { SERVOFLEET_PORT: service.port };
    const child = spawn(process.execPath, [...NODE_FLAGS, this.#parts.entry ?? ENTRY, ...spec.args], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
      env: { ...nodeEnvironment(env), SERVOFLEET_CHILD: "1", ...samePort },
    });
    service.child = child;
    child.on(
      "message",
      (message: ServiceMessage) => message.type === "ready" && this.#onReady(service, message.address),
    );
    child.on("error", (error) =>
      logger.error({ child: spec.name, error: error.message }, "service could not be started"),
    );
    child.on("exit", (code, signal) => this.#onExit(service, code, signal));
  }

  #onReady(service: Running, address: string | undefined): void {
    this.#address = address ?? this.#address;
    if (address !== undefined) service.port = new URL(address).port;
    this.#waiting.delete(service.spec.name);
    if (this.#waiting.size === 0) this.#ready.resolve(this.#address);
  }

  #onExit(service: Running, code: number | null, signal: string | null): void {
    const { clock, logger } = this.#parts;
    const { name } = service.spec;
    service.child = null;
    if (this.#stopping) return;
    if (this.#waiting.has(name)) this.#ready.reject(new ServiceStartError(name, code, signal));
    if (clock.monotonicMs() - service.startedAtMs > LIVED_LONG_ENOUGH_MS) service.restartMs = RESTART_MIN_MS;
    logger.warn({ child: name, code, signal, restartMs: service.restartMs }, "service ended; it is started again");
    service.restart = clock.after(service.restartMs, () => this.#start(service));
    service.restartMs = Math.min(service.restartMs * 2, RESTART_MAX_MS);
  }
}

/** A service ended before it was ready: its own words are already on stderr. */
export class ServiceStartError extends Error {
  override readonly name = "ServiceStartError";
  readonly code = "service-ended";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint = "see the message of the service above";
  constructor(service: string, code: number | null, signal: string | null) {
    super(`${service} ended before it was ready (${signal ?? `exit code ${code}`})`);
    this.facts = { service, code, signal };
  }
}

interface StopParts {
  readonly name: string;
  readonly stopLimitMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks a child to shut down, waits for its end, and kills it when it takes longer than its limit. */
export function stopChild(child: ChildProcess | null, parts: StopParts): Promise<void> {
  const asked: SupervisorMessage = { type: "shut-down" };
  return endChild(child, parts, (running) => {
    if (running.connected) running.send(asked, (error) => error && running.kill("SIGTERM"));
    else running.kill("SIGTERM");
  });
}

/** Ends a child in the given way, waits for it, and kills it when it takes longer than its limit. */
export function endChild(
  child: ChildProcess | null,
  { name, stopLimitMs, clock, logger }: StopParts,
  ask: (child: ChildProcess) => void,
): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const limit = clock.after(stopLimitMs, () => {
      logger.error({ child: name, stopLimitMs }, "did not stop in time and is killed");
      child.kill("SIGKILL");
    });
    child.once("exit", () => {
      limit.cancel();
      resolve();
    });
    ask(child);
  });
}
