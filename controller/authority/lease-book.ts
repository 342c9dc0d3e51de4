import { timingSafeEqual } from "node:crypto";
import type { AxisId, CommandType, LeaseView, OnLapse, ProblemFacts } from "@servofleet/contracts";
import { rfc3339 } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";

/** Control over some axes for a time. */
export interface Lease {
  readonly id: string;
  readonly axes: readonly AxisId[];
  readonly principal: string;
  readonly purpose: string;
  readonly ttlMs: number;
  readonly onLapse: OnLapse;
  /** The secret that its holder shows. */
  readonly token: string;
  readonly sinceUs: number;
  /** Monotonic, ms. */
  readonly expiresMs: number;
}

/** Leases at once; far more than a box has axes. */
export const LEASES_MAX = 1024;

/** Under whose control a wish was taken: the fencing token of its order. */
export interface Control {
  readonly leaseSequence: number;
}

/** What may be asked of an axis that somebody else controls: bringing it to rest. (Stops ask nobody.) */
const FREE: ReadonlySet<CommandType> = new Set(["Halt"]);

/**
 * Who controls which axis. In memory alone: after a restart nobody does. Each change of control counts the axis's sequence
 * up, so that nothing decided before it reaches a drive after it.
 */
export class LeaseBook {
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();
  readonly #holders = new Map<AxisId, Lease>();
  readonly #sequences = new Map<AxisId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#leases.size;
  }

  get(id: string): Lease | undefined {
    return this.#leases.get(id);
  }

  all(): readonly Lease[] {
    return [...this.#leases.values()];
  }

  holder(axis: AxisId): Lease | undefined {
    return this.#holders.get(axis);
  }

  sequence(axis: AxisId): number {
    return this.#sequences.get(axis) ?? 0;
  }

  /** Whether the wish may be taken under this token, and under which sequence. */
  control(axis: AxisId, type: CommandType, token: string | undefined): Control | ProblemFacts {
    const holder = this.#holders.get(axis);
    const control = { leaseSequence: this.sequence(axis) };
    if (holder ? isToken(holder, token) : token === undefined) return control;
    if (FREE.has(type)) return control;
    return holder ? this.leased(axis, holder) : leaseOver(axis);
  }

  /** `axis-leased`, with the holder and the time that is left. */
  leased(axis: AxisId, holder: Lease): ProblemFacts {
    const purpose = holder.purpose === "" ? "" : ` for ${JSON.stringify(holder.purpose)}`;
    return {
      slug: "axis-leased",
      detail: `axis ${axis} is under the control of ${holder.principal}${purpose} (lease ${holder.id}, ${this.remainingMs(holder)} ms left)`,
      remedy: "ask its holder to give it back, wait until it lapses, or take it over; stopping needs no lease",
    };
  }

  remainingMs(lease: Lease): number {
    return Math.max(0, Math.round(lease.expiresMs - this.#clock.monotonicMs()));
  }

  view(lease: Lease): LeaseView {
    const { id, axes, principal, purpose, ttlMs, onLapse, sinceUs } = lease;
    const remainingMs = this.remainingMs(lease);
    return { id, axes, principal, purpose, ttlMs, onLapse, since: rfc3339(sinceUs), remainingMs };
  }

  /** Gives control; every axis must be free. Returns the axes whose sequence has changed. */
  put(lease: Lease): readonly AxisId[] {
    this.#leases.set(lease.id, lease);
    for (const axis of lease.axes) this.#holders.set(axis, lease);
    return this.fence(lease.axes);
  }

  renew(lease: Lease): Lease {
    const renewed = { ...lease, expiresMs: this.#clock.monotonicMs() + lease.ttlMs };
    this.#leases.set(lease.id, renewed);
    for (const axis of lease.axes) this.#holders.set(axis, renewed);
    return renewed;
  }

  remove(lease: Lease): readonly AxisId[] {
    this.#leases.delete(lease.id);
    for (const axis of lease.axes) this.#holders.delete(axis);
    return this.fence(lease.axes);
  }

  /** What was decided until now and has not been sent never is. */
  fence(axes: readonly AxisId[]): readonly AxisId[] {
    for (const axis of axes) this.#sequences.set(axis, this.sequence(axis) + 1);
    return axes;
  }
}

/** Compares in constant time: the token is a secret. */
export function isToken(lease: Lease, token: string | undefined): boolean {
  const [own, shown] = [Buffer.from(lease.token), Buffer.from(token ?? "")];
  return own.length === shown.length && timingSafeEqual(own, shown);
}

const leaseOver = (axis: AxisId): ProblemFacts => ({
  slug: "axis-leased",
  detail: `the lease of this Lease-Token does not cover axis ${axis} (any more)`,
  remedy: "ask for a lease again, or send the command without the header",
});
