import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type AcceptedView, type AxisView, type CommandView, type Page, TERMINAL_STATES } from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { stringify } from "yaml";
import { NODE_FLAGS, nodeEnvironment } from "../../bin/node-settings.ts";
import { demoFleet, demoLinks } from "../demo/demo-fleet.ts";
import type { MotionWrite } from "../sim/drive-record.ts";
import { askSocket } from "./service-socket.ts";
import { until } from "./until.ts";

const CLI = fileURLToPath(new URL("../../bin/servofleet.ts", import.meta.url));
const START_LIMIT_MS = 60_000;
/** The longest that the read side lets a reader wait for a position. */
const CATCH_UP_MS = 10_000;
/**
 * Simulated drives live on the host's cores, which other programs share: they pause for longer than a drive ever would.
 * A patient line keeps the host's scheduler out of what a scenario proves.
 */
const REPLY_PATIENCE_MS = 400;
/** A process that does not end when asked is killed after this, so that a failed test leaves nothing behind. */
const END_LIMIT_MS = 60_000;

export type ServiceName = "controller" | "bridge" | "gateway" | "dashboard";

/** The box under test did not do what the scenario needed of it. */
export class BoxError extends Error {
  override readonly name = "BoxError";
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: string, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${JSON.stringify(facts)}; ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}

const answerFacts = ({ status, body }: Answer): Record<string, unknown> => ({ status, body });

/** `GET /drives/{id}` of the simulators. */
export interface DriveView {
  readonly id: string;
  /** As the drive counts, drive counts. */
  readonly position: number;
  readonly moving: boolean;
  readonly enabled: boolean;
  readonly homed: boolean;
  readonly alarm: number;
  /** Where the machine truly is, motor counts. */
  readonly plant: { readonly position: number; readonly velocity: number };
  readonly record: readonly MotionWrite[];
}

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A box under test: real processes, real lines, real files, in a directory of its own. */
export interface RunningBox {
  readonly directory: string;
  readonly data: string;
  readonly fleetFile: string;
  readonly url: string;
  /** Base address of the simulators' fault control. */
  readonly control: string;
  call<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
  /** Reads what the log knows by now: a read side that is behind is waited for. Throws when it is not answered by 200. */
  read<T>(path: string): Promise<T>;
  /** As the read side shows it, which may lag behind; throws when it is not shown. */
  axis(id: string): Promise<AxisView>;
  /** Sends a command and returns its id; throws when it is not accepted. */
  send(axis: string, request: object, headers?: Record<string, string>): Promise<AcceptedView>;
  /** As the read side shows it, which may lag behind; throws when it is not shown. */
  command(id: string): Promise<CommandView>;
  /** Sends a command and waits for its end; `waitS` is how long the box itself waits. */
  run(axis: string, request: object, waitS?: number): Promise<CommandView>;
  /** Enables and homes. */
  prepare(axis: string): Promise<void>;
  simulated<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  /** What a simulated drive knows of itself: its true state and every motion write it received after `afterSeq`. */
  drive(id: string, afterSeq?: number): Promise<DriveView>;
  /** Upsets a simulated drive. */
  upsetDrive(id: string, fault: object): Promise<void>;
  /** Upsets a simulated line or port. */
  upsetLink(id: string, fault: object): Promise<void>;
  /** Process id of a service now, found by its command line; undefined while it is dead. */
  pid(service: ServiceName): number | undefined;
  /** Runs the command line against this box. */
  cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Ctrl-C: SIGINT to the supervisor alone; the simulators stay, so that their records can be read. Resolves with its exit code. */
  interrupt(): Promise<number | null>;
  /** Ends everything: SIGINT to the supervisor first, then the simulators. Resolves with the supervisor's exit code. */
  stop(): Promise<number | null>;
  /** What the services said on stderr. */
  log(): string;
}

export interface BoxOptions {
  readonly messaging?: string;
  /** Changes the fleet before it is written. */
  readonly fleet?: (fleet: ReturnType<typeof demoFleet>) => object;
  /** Changes the simulated links before they are written. */
  readonly links?: (links: ReturnType<typeof demoLinks>) => object;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts simulators and a box in front of them; resolves when the gateway listens and the recovery is over. */
export async function startBox(options: BoxOptions = {}): Promise<RunningBox> {
  const directory = mkdtempSync(join(tmpdir(), "box-"));
  const data = join(directory, "data");
  mkdirSync(data);
  const env = { ...nodeEnvironment(process.env), SERVOFLEET_LOG: "warn", ...options.env };
  const linksFile = join(directory, "links.yaml");
  writeFileSync(linksFile, stringify((options.links ?? ((same) => same))(demoLinks(directory))));
  const simulators = spawn(process.execPath, [CLI, "sim", linksFile], { stdio: ["ignore", "pipe", "inherit"], env });
  const started: ChildProcess[] = [simulators];
  try {
    const ready = JSON.parse(await firstLine(simulators)) as SimulatorsReady;
    return await startServices({ directory, data, options, env, simulators, started, ready });
  } catch (error) {
    for (const child of started) await end(child, "SIGTERM");
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

interface SimulatorsReady {
  readonly control: string;
  readonly links: readonly { readonly id: string; readonly port?: number }[];
}

interface Start {
  readonly directory: string;
  readonly data: string;
  readonly options: BoxOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly simulators: ChildProcess;
  readonly started: ChildProcess[];
  readonly ready: SimulatorsReady;
}

async function startServices(start: Start): Promise<RunningBox> {
  const { directory, data, options, env, simulators, started, ready } = start;
  const demo = demoFleet(directory, Object.fromEntries(ready.links.map((link) => [link.id, link.port ?? 0])));
  const fleet = { ...demo, links: demo.links.map((link) => ({ ...link, stopWaitMaxMs: REPLY_PATIENCE_MS })) };
  const fleetFile = join(directory, "fleet.yaml");
  writeFileSync(
    fleetFile,
    stringify({
      ...(options.fleet ?? ((same) => same))(fleet),
      data,
      http: { port: 0 },
      messaging: options.messaging ?? "embedded",
    }),
  );
  const supervisor = spawn(process.execPath, [...NODE_FLAGS, CLI, "--json", "up", "--config", fleetFile], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  started.unshift(supervisor);
  let said = "";
  supervisor.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const { listening } = JSON.parse(await firstLine(supervisor, () => said)) as { listening: string };
  await recovered(listening, () => said);
  return box({
    directory,
    data,
    fleetFile,
    url: listening,
    control: ready.control,
    supervisor,
    simulators,
    env,
    log: () => said,
  });
}

/** Until every drive was read twice the box takes stops only. */
async function recovered(url: string, said: () => string): Promise<void> {
  const events = () => request<Page<unknown>>(`${url}/v1/events?type=RecoveryCompleted`, "GET", undefined, {});
  const axes = () => request<Page<AxisView>>(`${url}/v1/axes`, "GET", undefined, {});
  const look = async () => ({ done: (await events()).body.items.length > 0, axes: (await axes()).body.items });
  await until("every axis was read and the recovery is over", look, (seen) => {
    return seen.done && seen.axes.length > 0 && seen.axes.every(({ state }) => state !== "offline");
  }).catch((cause: Error) => {
    throw new BoxError("no-recovery", { cause: cause.message, said: said() }, "read what it said");
  });
}

interface Parts {
  readonly directory: string;
  readonly data: string;
  readonly fleetFile: string;
  readonly url: string;
  readonly control: string;
  readonly supervisor: ChildProcess;
  readonly simulators: ChildProcess;
  readonly env: NodeJS.ProcessEnv;
  readonly log: () => string;
}

function box(parts: Parts): RunningBox {
  const { directory, data, fleetFile, url, control, log } = parts;
  const call = <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    request<T>(url + path, method, body, headers);
  const shown = async <T>(path: string) => {
    const answer = await call<T>("GET", path);
    if (answer.status !== 200) throw new BoxError("not-shown", { path, ...answerFacts(answer) }, "see the problem");
    return answer.body;
  };
  const command = (id: string) => shown<CommandView>(`/v1/commands/${id}`);
  const send = async (id: string, wish: object, headers: Record<string, string> = {}) => {
    const answer = await call<AcceptedView>("POST", `/v1/axes/${id}/commands`, wish, headers);
    if (answer.status !== 202) throw new BoxError("not-accepted", answerFacts(answer), "see the problem");
    return answer.body;
  };
  const run = async (id: string, wish: object, waitS = 20) => {
    const answer = await call<CommandView>("POST", `/v1/axes/${id}/commands`, wish, { prefer: `wait=${waitS}` });
    if (answer.status === 200) return answer.body;
    if (answer.status !== 202) throw new BoxError("not-accepted", answerFacts(answer), "see the problem");
    return until(`${answer.body.commandId} has ended`, () => command(answer.body.commandId), hasEnded);
  };
  return {
    directory,
    data,
    fleetFile,
    url,
    control,
    call,
    read: async (path) => shown(await fromNowOn(url, data, path)),
    axis: (id) => shown(`/v1/axes/${id}`),
    command,
    send,
    run,
    log,
    async prepare(id) {
      for (const type of ["Enable", "Home"]) {
        const ended = await run(id, { type });
        if (ended.state !== "succeeded")
          throw new BoxError(
            "not-prepared",
            { type, id, state: ended.state, problem: ended.problem },
            "see the problem",
          );
      }
    },
    simulated: async <T>(method: string, path: string, body?: unknown) =>
      (await request<T>(control + path, method, body, {})).body,
    drive: async (id, afterSeq = 0) =>
      (await request<DriveView>(`${control}/drives/${id}?afterSeq=${afterSeq}`, "GET", undefined, {})).body,
    upsetDrive: (id, fault) => upset(`${control}/drives/${id}/faults`, fault),
    upsetLink: (id, fault) => upset(`${control}/links/${id}/faults`, fault),
    pid: (service) => findService(fleetFile, service),
    cli: (...args) => runCli(["--url", url, "--data", data, ...args], parts.env),
    interrupt: () => end(parts.supervisor, "SIGINT"),
    async stop() {
      const code = await end(parts.supervisor, "SIGINT");
      await end(parts.simulators, "SIGTERM");
      rmSync(directory, { recursive: true, force: true });
      return code;
    },
  };
}

const hasEnded = ({ state }: CommandView): boolean => TERMINAL_STATES.has(state);

/** The path of a read that waits until the read side has what the log has now: only the controller knows that. */
async function fromNowOn(url: string, data: string, path: string): Promise<string> {
  const socket = join(data, "run", "controller.sock");
  const { body } = await askSocket<{ position: number }>(socket, "GET", "/readyz");
  const logId = (await request(`${url}/v1/groups`, "GET", undefined, {})).headers.get("x-position")?.split(".")[0];
  const now = `minPosition=${logId}.${body.position}&waitMs=${CATCH_UP_MS}`;
  return `${path}${path.includes("?") ? "&" : "?"}${now}`;
}

async function upset(url: string, fault: object): Promise<void> {
  const { status, body } = await request(url, "POST", fault, {});
  if (status !== 200) throw new BoxError("fault-refused", { fault, body }, "see hil-tests/sim/fault-request.ts");
}

/** One request with a JSON body; the answer whatever its status. */
export async function request<T>(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer<T>> {
  const answer = await fetch(url, {
    method,
    headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: (text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text) as T,
  };
}

/** The first line a process prints; rejects with what it said when it ends or takes too long. */
export function firstLine(child: ChildProcess, said: () => string = () => ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const limit = systemClock().after(START_LIMIT_MS, () =>
      reject(new BoxError("no-line", { limitMs: START_LIMIT_MS, said: said() }, "read what it said")),
    );
    const fail = (code: number | null) => {
      limit.cancel();
      reject(new BoxError("ended-early", { code, said: said() }, "read what it said"));
    };
    child.once("exit", fail);
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once("line", (line) => {
      limit.cancel();
      child.off("exit", fail);
      resolve(line);
    });
  });
}

/** Signals a process and resolves with its exit code; killed when it does not end. */
export function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    const limit = systemClock().after(END_LIMIT_MS, () => child.kill("SIGKILL"));
    child.once("exit", (code) => {
      limit.cancel();
      resolve(code);
    });
    child.kill(signal);
  });
}

/** Services are found by what everybody can see of them: their command line with this box's configuration. */
export function findService(fleetFile: string, service: ServiceName): number | undefined {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const words = commandLine(entry);
    if (words.includes(fleetFile) && words.includes(service) && words.includes(CLI)) return Number(entry);
  }
  return undefined;
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** Runs the command line to its end; killed when it takes longer than the limit. */
export function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  limitMs: number = END_LIMIT_MS,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  // A verb that should have refused to start must not hold the test for ever.
  const limit = systemClock().after(limitMs, () => child.kill("SIGKILL"), true);
  return new Promise((resolve) =>
    child.once("close", (code) => {
      limit.cancel();
      resolve({ code: code ?? -1, stdout, stderr });
    }),
  );
}
