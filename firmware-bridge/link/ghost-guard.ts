import { READ_REGISTERS_MAX } from "../modbus/expected-reply.ts";
import type { ModbusRequest } from "./link.ts";

/** Requests of one unit whose answers may still come; more than this many are answered by asking something else first. */
const GHOSTS_MAX = 8;

/** Answers of one unit that timed out and may still arrive. RTU answers carry no id: only their shape tells them apart. */
export type Ghosts = readonly ModbusRequest[];
export const NO_GHOSTS: Ghosts = [];

export const withGhost = (ghosts: Ghosts, request: ModbusRequest): Ghosts => [...ghosts.slice(1 - GHOSTS_MAX), request];

/**
 * How a request can be asked so that no late answer fits.
 * - `as-is`: none can fit
 * - `padded`: read `request` (one register more or so) and cut the answer
 * - `flush`: ask `request` first; its answer proves that everything older is through (a drive answers in order)
 * - `twice`: send it at once and once more for each late answer that fits; one echo more than those proves one write
 *   (only for stops, which may be repeated)
 */
export type Guarded =
  | { readonly ask: "as-is" }
  | { readonly ask: "padded"; readonly request: ModbusRequest }
  | { readonly ask: "flush"; readonly request: ModbusRequest }
  | { readonly ask: "twice"; readonly late: number };

const sameValues = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((v, i) => v === b[i]);

/** Whether the late answer of `ghost` could pass for the answer of `request` while meaning something else. */
function confusable(ghost: ModbusRequest, request: ModbusRequest, bareReplies: boolean): boolean {
  // An acknowledgement without register or value fits every write but the very same one.
  if (bareReplies && request.fn !== "read")
    return ghost.fn !== "read" && JSON.stringify(ghost) !== JSON.stringify(request);
  switch (request.fn) {
    case "read":
      return ghost.fn === "read" && ghost.quantity === request.quantity;
    case "write":
      // The echo holds address and value: an equal echo means the same write was done.
      return false;
    case "write-many":
      return (
        ghost.fn === "write-many" &&
        ghost.address === request.address &&
        ghost.values.length === request.values.length &&
        !sameValues(ghost.values, request.values)
      );
    case "read-write":
      // The answer is a bare read: it says nothing of what was written.
      return ghost.fn === "read-write" && ghost.quantity === request.quantity;
  }
}

/** Smallest count that no late read answer has, starting at `from`; undefined when there is none up to `max`. */
function freeQuantity(ghosts: Ghosts, from: number, max: number): number | undefined {
  for (let quantity = from; quantity <= max; quantity++) {
    if (!ghosts.some((ghost) => ghost.fn === "read" && ghost.quantity === quantity)) return quantity;
  }
  return undefined;
}

/** Chooses how to ask. `mayPad` is false once the drive refused the longer read; `bareReplies` as of the codec. */
export function guard(
  ghosts: Ghosts,
  request: ModbusRequest,
  stop: boolean,
  mayPad: boolean,
  bareReplies = false,
): Guarded {
  const late = ghosts.filter((ghost) => confusable(ghost, request, bareReplies)).length;
  if (late === 0) return { ask: "as-is" };
  if (request.fn !== "read" && stop) return { ask: "twice", late };
  if (request.fn === "read" && mayPad) {
    const max = Math.min(READ_REGISTERS_MAX, 0x10000 - request.address);
    const quantity = freeQuantity(ghosts, request.quantity + 1, max);
    if (quantity !== undefined) return { ask: "padded", request: { ...request, quantity } };
  }
  const quantity = freeQuantity(ghosts, 1, Math.min(READ_REGISTERS_MAX, 0x10000 - request.address)) ?? 1;
  return { ask: "flush", request: { fn: "read", address: request.address, quantity } };
}

/** Whether an exception that answers `request` could be a late one to another request of the same function. */
export const exceptionIsAmbiguous = (ghosts: Ghosts, request: ModbusRequest, bareReplies = false): boolean =>
  ghosts.some((ghost) => bareReplies || ghost.fn === request.fn);
