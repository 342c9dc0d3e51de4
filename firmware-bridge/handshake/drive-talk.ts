import type { Values } from "../profile/drive-profile.ts";

/** How a write matters to its order. */
export type WriteWeight =
  /** Prepares: a lost answer means that nothing has started. */
  | "prepare"
  /** Prepares by ending what runs: from its first byte on, the motion before belongs to this order. */
  | "interrupts"
  /** Sets the axis in motion, or ends or changes what it does: a lost answer leaves the outcome unknown. */
  | "decisive"
  /** After the decisive one: a lost answer changes nothing about it. */
  | "after";

/**
 * One order's line to its drive. Every write is checked for the last time right before its first byte (stop generation,
 * epoch, superseded, deadline of the first) and none is ever repeated. Rejects with LinkError or HandshakeError.
 */
export interface DriveTalk {
  /** One read over neighbours. */
  read(...names: readonly string[]): Promise<Values>;
  /** One write of neighbours, raw values. */
  write(entries: readonly (readonly [name: string, raw: number])[], weight: WriteWeight): Promise<void>;
  /** Leaves the drive alone for so long; the line serves others meanwhile. */
  pause(ms: number): Promise<void>;
  /** Reads until `done`; HandshakeError after `limitMs`. */
  waitFor(names: readonly string[], limitMs: number, what: string, done: (values: Values) => boolean): Promise<Values>;
}

/** The drive did not do what its handshake asks, or an order asks what the drive cannot do. Kills one order. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  /** `unsupported`: nothing was sent. `no-response`: a bit did not come in time. `fault`: the drive is in fault. */
  readonly code: "unsupported" | "no-response" | "fault" | "wrong-drive" | "not-ready";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: HandshakeError["code"], facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
