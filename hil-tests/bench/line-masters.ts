import { createRequire } from "node:module";
import type { Link } from "@servofleet/firmware-bridge/link/link";
import modbusSerial from "modbus-serial";
import { SerialPort } from "serialport";
import { ValueCheck } from "../line/value-check.ts";
import { type LineLinkPlan, openLineLink } from "./line-link.ts";
import type { WorkerParts } from "./worker-parts.ts";

const REPLY_LIMIT_MS = 1000;
/** Reads before the clock runs: code is compiled, turn-arounds are learned. */
const WARM_UP = 32;

/** `count` reads of `registers` registers from address 0, back to back, one unit after the other. */
export interface ReadingPlan extends LineLinkPlan {
  readonly registers: number;
  readonly count: number;
}
export interface ReadingFigures {
  readonly perS: number;
  readonly failed: number;
  /** Answers that were not this unit's to this request. */
  readonly wrong: number;
}

type Read = (unit: number) => Promise<readonly number[]>;

/** Masters of a serial line, each reading as fast as it can: the bridge's link and what others use. */
export function lineMasters({ clock }: WorkerParts) {
  /** Asks one after the other, as a plain program does. */
  async function inTurn(plan: ReadingPlan, read: Read): Promise<ReadingFigures> {
    const tally = new Tally(plan);
    let startedMs = 0;
    for (let asked = -WARM_UP; asked < plan.count; asked++) {
      if (asked === 0) startedMs = clock.monotonicMs();
      await tally.read(1 + ((asked + WARM_UP) % plan.units), read);
    }
    return tally.figures((plan.count * 1000) / (clock.monotonicMs() - startedMs));
  }

  /** One question of every unit waits at any time, as the pollers of its axes keep it. */
  async function allAtOnce(plan: ReadingPlan, link: Link): Promise<ReadingFigures> {
    const tally = new Tally(plan);
    let startedMs = 0;
    let endedMs = 0;
    let answered = -WARM_UP;
    const read: Read = async (unit) =>
      (await link.transact(unit, { fn: "read", address: 0, quantity: plan.registers }, { class: "poll" })).registers;
    const poller = async (unit: number) => {
      while (answered < plan.count) {
        await tally.read(unit, read);
        answered += 1;
        if (answered === 0) startedMs = clock.monotonicMs();
        if (answered === plan.count) endedMs = clock.monotonicMs();
      }
    };
    await Promise.all(Array.from({ length: plan.units }, (_, index) => poller(index + 1)));
    return tally.figures((plan.count * 1000) / (endedMs - startedMs));
  }

  return {
    async link(plan: ReadingPlan): Promise<ReadingFigures> {
      const link = await openLineLink(plan, clock);
      try {
        return await allAtOnce(plan, link);
      } finally {
        await link.close();
      }
    },
    async modbusSerial(plan: ReadingPlan): Promise<ReadingFigures> {
      const client = new modbusSerial.default();
      await client.connectRTUBuffered(plan.path, { baudRate: plan.baud });
      client.setTimeout(REPLY_LIMIT_MS);
      try {
        return await inTurn(plan, async (unit) => {
          client.setID(unit);
          return (await client.readHoldingRegisters(0, plan.registers)).data;
        });
      } finally {
        await new Promise<void>((resolve) => client.close(() => resolve()));
      }
    },
    /** A client of jsmodbus is bound to one unit, so it asks the first one only. Null where it is not installed. */
    async jsmodbus(plan: ReadingPlan): Promise<ReadingFigures | null> {
      const library = loadJsmodbus();
      if (!library) return null;
      const port = new SerialPort({ path: plan.path, baudRate: plan.baud, autoOpen: false });
      const client = new library.client.RTU(port, 1, REPLY_LIMIT_MS);
      await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
      try {
        return await inTurn(
          { ...plan, units: 1 },
          async () => (await client.readHoldingRegisters(0, plan.registers)).response.body.valuesAsArray,
        );
      } finally {
        await new Promise<void>((resolve) => port.close(() => resolve()));
      }
    },
  };
}

class Tally {
  readonly #check = new ValueCheck();
  #failed = 0;

  constructor({ registers }: ReadingPlan) {
    this.#registers = registers;
  }
  readonly #registers: number;

  async read(unit: number, read: Read): Promise<void> {
    try {
      this.#check.answer(unit, 0, await read(unit), this.#registers);
    } catch {
      this.#failed += 1;
      this.#check.lost(unit);
    }
  }

  figures(perS: number): ReadingFigures {
    return { perS, failed: this.#failed, wrong: this.#check.wrong };
  }
}

/** The part of jsmodbus that is used. */
interface Jsmodbus {
  readonly client: {
    readonly RTU: new (
      port: SerialPort,
      unit: number,
      timeoutMs: number,
    ) => {
      readHoldingRegisters(
        address: number,
        count: number,
      ): Promise<{ readonly response: { readonly body: { readonly valuesAsArray: readonly number[] } } }>;
    };
  };
}

/** Loaded only when asked for: it is here for comparison, and a host may lack it. */
function loadJsmodbus(): Jsmodbus | undefined {
  const load = createRequire(import.meta.url);
  try {
    return load("jsmodbus") as Jsmodbus;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
