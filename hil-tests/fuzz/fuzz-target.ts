import type { Random } from "@servofleet/runtime/clock";

/** One parser under fuzz. */
export interface FuzzTarget {
  readonly name: string;
  /** Of the asked frames; a parser of whole files gets fewer, each of its inputs is a thousand times a frame's work. */
  readonly share: number;
  /** Feeds one mutated input to fresh state and checks what came out. Throws FuzzFinding; anything else thrown is a crash. */
  readonly run: (random: Random) => void;
}

/** The parser believed something it must not, or lost something it must find. */
export class FuzzFinding extends Error {
  override readonly name = "FuzzFinding";
  readonly code = "wrong-value";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint = "replay it with the printed command";
  constructor(what: string, facts: Readonly<Record<string, unknown>>) {
    super(`${what}: ${JSON.stringify(facts)}`);
    this.facts = facts;
  }
}

/** Holds, or is a finding. */
export function must(holds: boolean, what: string, facts: () => Readonly<Record<string, unknown>>): void {
  if (!holds) throw new FuzzFinding(what, facts());
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A whole number, `from` to `to` inclusive. */
export const between = (random: Random, from: number, to: number): number =>
  from + Math.floor(random.next() * (to - from + 1));

export function pick<T>(random: Random, list: readonly [T, ...T[]]): T {
  return list[between(random, 0, list.length - 1)] ?? list[0];
}
