import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sleep } from "@servofleet/runtime/clock";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import { KeepAliveClient } from "./keep-alive-client.ts";
import { serviceMemory } from "./service-memory.ts";
import type { ServersPlan, ValueArrived } from "./value-servers.ts";
import { startWorker, type Worker } from "./worker.ts";

const PROFILE = fileURLToPath(new URL("../../firmware-bridge/profiles/register-servo.json", import.meta.url));
const LINKS = 10;
const UNITS = 10;
/** The block that is polled: from torqueEnable on, so many registers. */
const BLOCK_START = 0x10;
const BLOCK = 100;
/** One value, and after it a row of them. */
const DOWNLINK_REGISTER = 0x100;
/** Values of a downlink, and where they begin, so that no other value looks like one of them. */
const VALUES = 100;
const ROW_VALUES = 30_000;
const IDENTITY = 0x5345;
/** 100 units x 100 registers ten times a second are the 100,000; a little faster, because timers only fire late. */
const LOADED_POLL_MS = 95;
const IDLE_POLL_MS = 30_000;
/** Longer than the polls at rest are apart, in steps that fit a register. */
const WATCHDOG = { ms: 60_000, stepMs: 10 };
const DOWNLINK_PAUSE_MS = 500;
const ASK_LIMIT_MS = 10_000;

export interface ValuesFigures {
  readonly valuesPerS: number;
  /** Downlinks of 100 values to one unit: from the POST to the values at the unit, ms. */
  readonly downlinksMs: readonly number[];
  /** One value for each of 100 units, posted at once: from the first POST to the last value at its unit, ms. */
  readonly spreadMs: readonly number[];
  readonly idle: Readonly<Record<string, number>>;
  readonly loaded: Readonly<Record<string, number>>;
}

const measured = new WeakMap<BenchContext, Promise<ValuesFigures>>();

/** Every service with 100 axes on 10 Modbus TCP links, first idle, then at 100,000 values a second; once per call of the bench. */
export function valuesFigures(context: BenchContext): Promise<ValuesFigures> {
  const figures = measured.get(context) ?? measure(context);
  measured.set(context, figures);
  return figures;
}

async function measure(context: BenchContext): Promise<ValuesFigures> {
  const { clock, directory } = context;
  const servers = startWorker("value-servers", clock);
  try {
    const plan: ServersPlan = {
      links: LINKS,
      fixed: stillDrive(),
      toldAddresses: [DOWNLINK_REGISTER, DOWNLINK_REGISTER + VALUES],
    };
    const ports = await servers.ask<readonly number[]>("open", plan, ASK_LIMIT_MS);
    const profile = join(directory, "values.json");
    writeFileSync(profile, JSON.stringify(wideProfile()));
    const settleMs = sized(context, 20_000, 4000);
    const idle = await inBox(context, fleetOf(ports, profile, IDLE_POLL_MS), async (running) => {
      await sleep(clock, settleMs);
      return serviceMemory(running);
    });
    return await inBox(context, fleetOf(ports, profile, LOADED_POLL_MS), async (running) => {
      await sleep(clock, settleMs);
      await servers.ask("taken", null, ASK_LIMIT_MS);
      const startedMs = clock.monotonicMs();
      const down = await downlinks(sized(context, 100, 5), running, servers, context);
      const values = await servers.ask<number>("taken", null, ASK_LIMIT_MS);
      const valuesPerS = (values * 1000) / (clock.monotonicMs() - startedMs);
      return { valuesPerS, ...down, idle, loaded: serviceMemory(running) };
    });
  } finally {
    await servers.stop();
  }
}

async function inBox<T>(
  { say }: BenchContext,
  change: (fleet: object) => object,
  use: (running: RunningBox) => Promise<T>,
): Promise<T> {
  say(`starting a box with ${LINKS * UNITS} axes on ${LINKS} Modbus TCP links ...`);
  const running = await startBox({ fleet: change });
  try {
    return await use(running);
  } finally {
    await running.stop();
  }
}

/** A register-servo that stands still and off: its own registers are 0, the rest of the block changes with every read. */
const stillDrive = (): Record<number, number> => ({
  0: IDENTITY,
  ...Object.fromEntries(Array.from({ length: 0x28 - BLOCK_START }, (_, at) => [BLOCK_START + at, 0])),
});

/** The shipped profile with a wider block in its poll, a more patient watchdog, and one parameter to write. */
function wideProfile(): object {
  const shipped = JSON.parse(readFileSync(PROFILE, "utf8")) as {
    readonly registers: object;
    readonly plan: { readonly status: readonly string[][] };
    readonly servo: { readonly watchdog: object };
  };
  const register = (address: number, access: string) => ({ address, type: "u16", words: 1, access, source: "bench" });
  return {
    ...shipped,
    name: "values",
    servo: { ...shipped.servo, watchdog: { ...shipped.servo.watchdog, ...WATCHDOG } },
    plan: { ...shipped.plan, status: [[...(shipped.plan.status[0] ?? []), "blockEnd"]] },
    registers: {
      ...shipped.registers,
      blockEnd: { ...register(BLOCK_START + BLOCK - 1, "ro"), address: hex(BLOCK_START + BLOCK - 1) },
      setpoint: { ...register(DOWNLINK_REGISTER, "rw"), address: hex(DOWNLINK_REGISTER) },
      recipe: { ...register(DOWNLINK_REGISTER + 1, "rw"), address: hex(DOWNLINK_REGISTER + 1) },
    },
    parameters: {
      setpoint: { register: "setpoint", min: 0, max: 65_535 },
      recipe: { register: "recipe", count: VALUES, min: 0, max: 65_535 },
    },
  };
}
const hex = (address: number) => `0x${address.toString(16).padStart(4, "0").toUpperCase()}`;

const axisId = (link: number, unit: number) => `a${link}_${unit}`;

const fleetOf = (ports: readonly number[], profile: string, idleMs: number) => (fleet: object) => ({
  ...fleet,
  links: ports.map((port, link) => ({
    id: `cell_${link}`,
    kind: "modbus-tcp",
    host: "127.0.0.1",
    port,
    stopWaitMaxMs: 400,
  })),
  axes: ports.flatMap((_, link) =>
    Array.from({ length: UNITS }, (_unit, at) => ({
      id: axisId(link, at + 1),
      link: `cell_${link}`,
      unit: at + 1,
      profile,
      countsPerUnit: 1000,
      limits: { min: 0, max: 100, velocity: 100, acceleration: 1000, torque: 100 },
      poll: { movingMs: Math.min(idleMs, LOADED_POLL_MS), idleMs },
    })),
  ),
  groups: [],
});

interface Unit {
  readonly link: number;
  readonly unit: number;
}

/** Writes parameters through the gateway; each resolves when the unit at the end of the cable was given its last value. */
class Downlinks {
  readonly #arrivals = new Map<string, (atNs: bigint) => void>();
  readonly #clients: KeepAliveClient[] = [];
  readonly #context: BenchContext;
  readonly #address: { readonly host: string; readonly port: number };

  constructor(running: RunningBox, servers: Worker, context: BenchContext) {
    const { hostname, port } = new URL(running.url);
    this.#address = { host: hostname, port: Number(port) };
    this.#context = context;
    servers.onNote((told) => {
      const { link, unit, value, atNs } = told as ValueArrived;
      this.#arrivals.get(`${axisId(link, unit)} ${value}`)?.(BigInt(atNs));
    });
  }

  /** Monotonic ns of the arrival. `client` is the connection it goes by. */
  async write(client: number, { link, unit }: Unit, parameter: string, value: number | number[]): Promise<bigint> {
    const { clock } = this.#context;
    const axis = axisId(link, unit);
    const key = `${axis} ${Array.isArray(value) ? value.at(-1) : value}`;
    const arrived = Promise.withResolvers<bigint>();
    this.#arrivals.set(key, arrived.resolve);
    const limit = clock.after(ASK_LIMIT_MS, () =>
      arrived.reject(new BenchError("too-slow", { axis, parameter }, "a value never reached its unit")),
    );
    this.#clients[client] ??= new KeepAliveClient(this.#address);
    const body = JSON.stringify({ type: "WriteParameter", parameter, value });
    const head = `idempotency-key: ${randomUUID()}\r\n`;
    const posting = this.#clients[client].request("POST", `/v1/axes/${axis}/commands`, body, head);
    const taken = posting.then(({ status, body: why }) => {
      if (status !== 202) throw new BenchError("unexpected-answer", { axis, why }, "a value was refused");
    });
    const [atNs] = await Promise.all([arrived.promise, taken]).finally(() => {
      limit.cancel();
      this.#arrivals.delete(key);
    });
    return atNs;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/** In turns: 100 values for one unit, all in one request; and one value for each of 100 units, posted at once. */
async function downlinks(count: number, running: RunningBox, servers: Worker, context: BenchContext) {
  const { clock } = context;
  const units = Array.from({ length: LINKS * UNITS }, (_, at) => ({
    link: Math.floor(at / UNITS),
    unit: 1 + (at % UNITS),
  }));
  const down = new Downlinks(running, servers, context);
  const downlinksMs: number[] = [];
  const spreadMs: number[] = [];
  for (let turn = 1; turn <= count; turn++) {
    const rowNs = clock.monotonicNs();
    const row = Array<number>(VALUES).fill(ROW_VALUES + turn);
    const arrivedNs = await down.write(0, units[turn % units.length] ?? { link: 0, unit: 1 }, "recipe", row);
    downlinksMs.push(Number(arrivedNs - rowNs) / 1e6);
    await sleep(clock, DOWNLINK_PAUSE_MS);
    const startedNs = clock.monotonicNs();
    const arrivals = await Promise.all(units.map((unit, at) => down.write(at, unit, "setpoint", turn)));
    spreadMs.push(Math.max(...arrivals.map((atNs) => Number(atNs - startedNs) / 1e6)));
    await sleep(clock, DOWNLINK_PAUSE_MS);
  }
  down.close();
  return { downlinksMs, spreadMs };
}
