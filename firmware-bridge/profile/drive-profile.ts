import type { Fault } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { ModbusRequest } from "../link/link.ts";
import type { FaultFact, ProfileData, RegisterFact } from "./profile-schema.ts";
import { fromBytes, toBytes } from "./register-bytes.ts";
import { bytesOf, fromWords, toWords } from "./register-words.ts";

/** Raw values by register name. */
export type Values = ReadonlyMap<string, number>;

/** Name of the register so many places after one that a row begins with; no name of a profile looks like it. */
const inRow = (register: string, at: number): string => (at === 0 ? register : `${register}[${at}]`);

/** The registers of rows, which the file names by their first one. */
function rowRegisters({ parameters, registers }: ProfileData): Record<string, RegisterFact> {
  const rows: Record<string, RegisterFact> = {};
  for (const { register, count = 1 } of Object.values(parameters)) {
    const first = registers[register];
    assert(first !== undefined, `no register ${register}`);
    for (let at = 1; at < count; at++) {
      const address = Number(first.address) + at * first.words;
      rows[inRow(register, at)] = { ...first, address: `0x${address.toString(16).padStart(4, "0")}` };
    }
  }
  return rows;
}

/** A checked profile, asked by names. Values are raw: one step of the register. */
export class DriveProfile {
  readonly data: ProfileData;
  readonly #faults: ReadonlyMap<string, FaultFact>;
  constructor(data: ProfileData) {
    this.data = { ...data, registers: { ...data.registers, ...rowRegisters(data) } };
    this.data = { ...this.data, plan: this.#believed(data.plan) };
    this.#faults = new Map(Object.entries(data.faults).map(([code, fact]) => [code.toLowerCase(), fact]));
  }

  get name(): string {
    return this.data.name;
  }

  /** Whether the profile has the register and, where it is only inferred, believes in it. */
  has(name: string): boolean {
    const fact = this.data.registers[name];
    return fact !== undefined && (fact.inferred === undefined || this.data.inferred[fact.inferred]?.enabled === true);
  }

  /** Whether a behaviour counts as a fact: true unless the profile names it as inferred and leaves it off. */
  believes(behaviour: string): boolean {
    return this.data.inferred[behaviour]?.enabled !== false;
  }

  fact(name: string): RegisterFact {
    const fact = this.data.registers[name];
    assert(fact !== undefined && this.has(name), `profile ${this.name} has no register ${name}`);
    return fact;
  }

  /** The registers of a parameter, in the order of their addresses: itself, or the whole row that it is. */
  row(parameter: string): readonly string[] {
    const fact = this.data.parameters[parameter];
    assert(fact !== undefined, `profile ${this.name} has no parameter ${parameter}`);
    return Array.from({ length: fact.count ?? 1 }, (_, at) => inRow(fact.register, at));
  }

  /** One read over all of the names, gaps included. */
  read(...names: readonly string[]): ModbusRequest {
    const facts = names.map((name) => this.fact(name));
    const [only] = facts;
    if (this.data.telegram === "objects" && only)
      return { ...this.#place(only, facts.length), fn: "read", quantity: only.words };
    const address = Math.min(...facts.map((fact) => Number(fact.address)));
    const end = Math.max(...facts.map((fact) => Number(fact.address) + fact.words));
    return { fn: "read", address, quantity: end - address };
  }

  /** The values of `read(...names)`'s answer. */
  values(names: readonly string[], registers: readonly number[]): Values {
    const request = this.read(...names);
    return new Map(
      names.map((name) => {
        const fact = this.fact(name);
        const at = Number(fact.address) - request.address;
        const decode = this.data.telegram === "bytes" ? fromBytes : fromWords;
        return [name, decode(registers.slice(at, at + fact.words), fact.type, this.data.wordOrder)];
      }),
    );
  }

  /**
   * One write of neighbours that lie without gap in the given order; undefined when a value does not fit its register.
   * One single register goes by function 06 where the drive has it (shorter), else 10h.
   */
  write(entries: readonly (readonly [name: string, raw: number])[]): ModbusRequest | undefined {
    const values: number[] = [];
    const first = entries[0];
    assert(first !== undefined, "a write of nothing");
    const address = Number(this.fact(first[0]).address);
    if (this.data.telegram === "objects") return this.#object(first, entries.length);
    for (const [name, raw] of entries) {
      const fact = this.fact(name);
      assert(Number(fact.address) === address + values.length, `register ${name} does not follow its neighbour`);
      const encode = this.data.telegram === "bytes" ? toBytes : toWords;
      const words = encode(raw, fact.type, this.data.wordOrder);
      if (!words) return undefined;
      values.push(...words);
    }
    const [only] = values;
    if (values.length === 1 && only !== undefined && this.data.functions.includes(6))
      return { fn: "write", address, value: only };
    return { fn: "write-many", address, values };
  }

  #object([name, raw]: readonly [name: string, raw: number], entries: number): ModbusRequest | undefined {
    const fact = this.fact(name);
    const words = toWords(raw, fact.type, this.data.wordOrder);
    return words ? { ...this.#place(fact, entries), fn: "write", value: raw >>> 0 } : undefined;
  }

  #place(fact: RegisterFact, count: number) {
    assert(count === 1, `profile ${this.name} speaks of one object at a time`);
    const object = { subindex: fact.subindex ?? 0, bytes: bytesOf(fact.type) };
    return { address: Number(fact.address), object };
  }

  /** A block with a register that is only inferred is not read. */
  #believed(plan: ProfileData["plan"]): ProfileData["plan"] {
    const known = (blocks: string[][]) => blocks.filter((names) => names.every((name) => this.has(name)));
    const { status, order, rotating, fault } = plan;
    return { status: known(status), order: known(order), rotating: known(rotating), fault: known(fault) };
  }

  /** The person's words for a fault code of the drive. */
  fault(code: number): Fault {
    const key = `0x${code.toString(16).padStart(4, "0")}`;
    const fact = this.#faults.get(key) ?? this.data.faultDefault;
    return { code: key, name: fact.name, remedy: fact.remedy };
  }
}
