import type { Frame } from "@servofleet/contracts";
import { type Link, LinkError, type ReadRequest, type TransactionDone } from "../link/link.ts";
import { type MergedRead, mergeReads, RefusedHoles } from "../link/merge-reads.ts";
import type { DriveProfile } from "../profile/drive-profile.ts";

/** Illegal data address, illegal data value: what a drive answers where nothing is (Modbus application protocol v1.1b3, 7). */
const NOTHING_THERE: readonly unknown[] = [2, 3];

/** What one pass over the blocks of a drive brought. */
export interface BlocksRead {
  readonly values: Map<string, number>;
  readonly frames: Frame[];
  readonly startedMs: number;
  /** The transaction that brought the position, if one did. */
  readonly position: TransactionDone | undefined;
}

/** Reads blocks of registers by name; several in one transaction where the profile allows it and the line is cheaper for it. */
export class BlockReader {
  readonly #link: Link;
  readonly #unit: number;
  readonly #profile: DriveProfile;
  readonly #refused = new RefusedHoles();

  constructor(link: Link, unit: number, profile: DriveProfile) {
    this.#link = link;
    this.#unit = unit;
    this.#profile = profile;
  }

  /** Rejects with LinkError. */
  async read(blocks: readonly (readonly string[])[]): Promise<BlocksRead> {
    const read: { -readonly [Key in keyof BlocksRead]: BlocksRead[Key] } = {
      values: new Map(),
      frames: [],
      startedMs: Number.POSITIVE_INFINITY,
      position: undefined,
    };
    let waiting = this.#plan(blocks);
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      const done = await this.#transact(one);
      if (!done) {
        // Somewhere in its holes there is nothing: once more, without them.
        waiting = [...this.#plan(one.parts), ...waiting];
        continue;
      }
      read.frames.push(...done.frames);
      read.startedMs = Math.min(read.startedMs, done.startedMs);
      for (const names of one.parts) this.#decode(names, one, done, read.values);
      if (one.parts.some((names) => names.includes("actualPosition"))) read.position = done;
    }
    return read;
  }

  #plan(blocks: readonly (readonly string[])[]): Planned[] {
    const reads = blocks.map((names) => this.#profile.read(...names) as ReadRequest);
    if (this.#profile.data.quirks.readsAcrossHoles !== true)
      return blocks.map((names, index) => ({ request: reads[index] as ReadRequest, parts: [names], holes: [] }));
    const merged = mergeReads(reads, {
      price: (request) => this.#link.price(this.#unit, request),
      registersMax: this.#profile.data.registersMax,
      isRefused: this.#refused.has,
    });
    return merged.map((one) => ({ ...one, parts: one.parts.map((index) => blocks[index] ?? []) }));
  }

  /** Undefined when the drive refused a read over holes. */
  async #transact(one: Planned): Promise<TransactionDone | undefined> {
    try {
      return await this.#link.transact(this.#unit, one.request, { class: "poll" });
    } catch (error) {
      const isRefusal = error instanceof LinkError && NOTHING_THERE.includes(error.facts["exceptionCode"]);
      if (!isRefusal || one.holes.length === 0) throw error;
      this.#refused.refuse(one.holes);
      return undefined;
    }
  }

  #decode(names: readonly string[], { request }: Planned, done: TransactionDone, into: Map<string, number>): void {
    const from = this.#profile.read(...names).address - request.address;
    for (const [name, raw] of this.#profile.values(names, done.registers.slice(from))) into.set(name, raw);
  }
}

interface Planned extends Omit<MergedRead, "parts"> {
  /** The blocks it holds, by their names. */
  readonly parts: readonly (readonly string[])[];
}
