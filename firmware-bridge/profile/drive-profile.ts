import type { Fault } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { ModbusRequest } from "../link/link.ts";
import type { FaultFact, ProfileData, RegisterFact } from "./profile-schema.ts";
import { fromWords, toWords } from "./register-words.ts";

/** Raw values by register name. */
export type Values = ReadonlyMap<string, number>;

/** A checked profile, asked by names. Values are raw: one step of the register. */
export class DriveProfile {
  readonly data: ProfileData;
  readonly #faults: ReadonlyMap<string, FaultFact>;
  constructor(data: ProfileData) {
    this.data = data;
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

  fact(name: string): RegisterFact {
    const fact = this.data.registers[name];
    assert(fact !== undefined && this.has(name), `profile ${this.name} has no register ${name}`);
    return fact;
  }

  /** One read over all of the names, gaps included. */
  read(...names: readonly string[]): ModbusRequest {
    const facts = names.map((name) => this.fact(name));
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
        return [name, fromWords(registers.slice(at, at + fact.words), fact.type, this.data.wordOrder)];
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
    for (const [name, raw] of entries) {
      const fact = this.fact(name);
      assert(Number(fact.address) === address + values.length, `register ${name} does not follow its neighbour`);
      const words = toWords(raw, fact.type, this.data.wordOrder);
      if (!words) return undefined;
      values.push(...words);
    }
    const [only] = values;
    if (values.length === 1 && only !== undefined && this.data.functions.includes(6))
      return { fn: "write", address, value: only };
    return { fn: "write-many", address, values };
  }

  /** The person's words for a fault code of the drive. */
  fault(code: number): Fault {
    const key = `0x${code.toString(16).padStart(4, "0")}`;
    const fact = this.#faults.get(key) ?? this.data.faultDefault;
    return { code: key, name: fact.name, remedy: fact.remedy };
  }
}
