import type { ReadRequest } from "./link.ts";

/** What merging depends on. */
export interface MergeFacts {
  /** Bus time of a read of this unit, microseconds: with its gaps and its learned turn-around. */
  readonly price: (read: ReadRequest) => number;
  /** Most registers in one read. */
  readonly registersMax: number;
  /** Whether the unit has refused to be read over this hole. */
  readonly isRefused: (from: number, end: number) => boolean;
}

/** One read in place of several. */
export interface MergedRead {
  readonly request: ReadRequest;
  /** Indices of the reads that it holds. */
  readonly parts: readonly number[];
  /** Registers between them that nobody asked for: first, and the one behind the last. */
  readonly holes: readonly (readonly [from: number, end: number])[];
}

/**
 * Reads put together where one is cheaper in bus time than two: over a hole of g registers as long as 2*c*g costs less
 * than the frame, the gaps and the turn-around of another transaction. Reads of objects stay alone. Pure.
 */
export function mergeReads(reads: readonly ReadRequest[], facts: MergeFacts): readonly MergedRead[] {
  const order = reads.map((_, index) => index).sort((a, b) => (reads[a]?.address ?? 0) - (reads[b]?.address ?? 0));
  const merged: MergedRead[] = [];
  for (const index of order) {
    const read = reads[index] as ReadRequest;
    const last = merged.at(-1);
    const joined = last && join(last, read, index, facts);
    if (joined) merged[merged.length - 1] = joined;
    else merged.push({ request: read, parts: [index], holes: [] });
  }
  return merged;
}

function join(last: MergedRead, read: ReadRequest, index: number, facts: MergeFacts): MergedRead | undefined {
  const { request } = last;
  if (request.object || read.object) return undefined;
  const end = request.address + request.quantity;
  const quantity = Math.max(end, read.address + read.quantity) - request.address;
  const one: ReadRequest = { fn: "read", address: request.address, quantity };
  if (quantity > facts.registersMax || facts.price(one) >= facts.price(request) + facts.price(read)) return undefined;
  if (read.address <= end) return { request: one, parts: [...last.parts, index], holes: last.holes };
  if (facts.isRefused(end, read.address)) return undefined;
  return { request: one, parts: [...last.parts, index], holes: [...last.holes, [end, read.address]] };
}

/** Most holes of one unit that are remembered. */
const HOLES_MAX = 64;

/** Holes that one unit has refused to be read over: they are left out for good. */
export class RefusedHoles {
  readonly #holes = new Set<string>();

  has = (from: number, end: number): boolean => this.#holes.has(`${from}-${end}`);

  /** The unit answered with an exception: any of the holes may be why. */
  refuse(holes: MergedRead["holes"]): void {
    for (const [from, end] of holes) if (this.#holes.size < HOLES_MAX) this.#holes.add(`${from}-${end}`);
  }
}
