import {
  type AxisId,
  boxStream,
  type DomainEvent,
  type FleetConfig,
  LEASE_TTL_DEFAULT_MS,
  type OnLapse,
  type ProblemFacts,
} from "@servofleet/contracts";
import type { Clock, Random, Timer } from "@servofleet/runtime/clock";
import { uuidV7 } from "@servofleet/runtime/random-id";
import type { BridgeLink } from "../bridge-link/bridge-link.ts";
import type { Logger } from "../controller-parts.ts";
import { LogError } from "../event-log/event-log.ts";
import { logUnavailable } from "../inbox/admission.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { CommandDesk } from "../inbox/command-desk.ts";
import { fingerprint } from "../inbox/fingerprint.ts";
import type { Journal } from "../inbox/journal.ts";
import type { StopLane } from "../stop/stop-lane.ts";
import { isToken, LEASES_MAX, type Lease, type LeaseBook } from "./lease-book.ts";

export interface LeaseDeskParts {
  readonly config: FleetConfig;
  readonly book: AxisBook;
  readonly leases: LeaseBook;
  readonly journal: Journal;
  readonly link: BridgeLink;
  readonly stopLane: StopLane;
  readonly desk: CommandDesk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What is asked for with a lease, with its defaults. */
export interface LeaseTerms {
  readonly ttlMs?: number | undefined;
  readonly onLapse?: OnLapse | undefined;
  readonly purpose?: string | undefined;
}

type Granted = { readonly lease: Lease } | { readonly problem: ProblemFacts };

/** Gives control over axes, takes it back, and does what was agreed when a holder is not heard any more. */
export class LeaseDesk {
  readonly #parts: LeaseDeskParts;
  readonly #timers = new Map<string, Timer>();

  constructor(parts: LeaseDeskParts) {
    this.#parts = parts;
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }

  /** Resolves when the grant is on disk. The axes are taken at once: of two that ask, one gets them. */
  async grant(axes: readonly AxisId[], terms: LeaseTerms, principal: string): Promise<Granted> {
    const { leases } = this.#parts;
    for (const axis of axes) {
      const holder = leases.holder(axis);
      if (holder) return { problem: leases.leased(axis, holder) };
    }
    if (leases.size >= LEASES_MAX) {
      const remedy = "wait until some have ended";
      return { problem: { slug: "queue-full", detail: `${LEASES_MAX} leases are open`, remedy } };
    }
    return this.#give(this.#newLease(axes, terms, principal), []);
  }

  /** Null when there is no such lease (any more); `forbidden` when the token is not its holder's. */
  renew(id: string, token: string | undefined): Granted {
    const lease = this.#own(id, token);
    if ("slug" in lease) return { problem: lease };
    return { lease: this.#parts.leases.renew(lease) };
  }

  /** Gives it back. What runs runs on. */
  async giveBack(id: string, token: string | undefined): Promise<ProblemFacts | null> {
    const lease = this.#own(id, token);
    if ("slug" in lease) return lease;
    this.#end(lease);
    return this.#record([{ type: "LeaseReturned", data: { leaseId: id, axes: [...lease.axes] } }], lease.principal);
  }

  /** Takes control away from its holder: whatever does not stand is stopped first. */
  async take(id: string, reason: string, terms: LeaseTerms, principal: string): Promise<Granted> {
    const { leases, stopLane } = this.#parts;
    const lease = leases.get(id);
    if (!lease) return { problem: noLease(id) };
    const moving = lease.axes.filter((axis) => this.#mayMove(axis));
    const stop = moving.length > 0 ? stopLane.raise({ name: `lease:${id}`, axes: moving }, "person", principal) : null;
    this.#end(lease);
    const next = this.#newLease(lease.axes, { ...terms, purpose: terms.purpose ?? reason }, principal);
    const taken = { leaseId: id, axes: [...lease.axes], from: lease.principal, reason };
    const given = this.#give(next, [{ type: "LeaseTaken", data: taken }]);
    await stop?.outcome();
    return given;
  }

  #newLease(axes: readonly AxisId[], terms: LeaseTerms, principal: string): Lease {
    const { clock, random } = this.#parts;
    const { ttlMs = LEASE_TTL_DEFAULT_MS, onLapse = "halt", purpose = "" } = terms;
    const id = uuidV7(clock, random);
    const token = Buffer.from(random.bytes(16)).toString("hex");
    const expiresMs = clock.monotonicMs() + ttlMs;
    return { id, axes, principal, purpose, ttlMs, onLapse, token, sinceUs: clock.wallUs(), expiresMs };
  }

  async #give(lease: Lease, before: readonly DomainEvent[]): Promise<Granted> {
    const { id: leaseId, axes, principal, purpose, ttlMs, onLapse } = lease;
    this.#tell(this.#parts.leases.put(lease));
    this.#watch(lease, ttlMs);
    const data = { leaseId, axes: [...axes], principal, purpose, ttlMs, onLapse };
    const problem = await this.#record([...before, { type: "LeaseGranted", data }], principal);
    if (!problem) return { lease };
    this.#end(lease);
    return { problem };
  }

  #own(id: string, token: string | undefined): Lease | ProblemFacts {
    const lease = this.#parts.leases.get(id);
    if (!lease) return noLease(id);
    if (isToken(lease, token)) return lease;
    const remedy = "send the token that its grant answered in the header Lease-Token, or take the lease over";
    return { slug: "forbidden", detail: `the Lease-Token is not that of lease ${id}`, remedy };
  }

  #watch(lease: Lease, ms: number): void {
    const { clock, leases } = this.#parts;
    const look = (): void => {
      const now = leases.get(lease.id);
      if (!now) return;
      const leftMs = now.expiresMs - clock.monotonicMs();
      if (leftMs > 0) this.#watch(now, leftMs);
      else this.#lapse(now);
    };
    this.#timers.set(lease.id, clock.after(Math.max(1, Math.ceil(ms)), look, true));
  }

  #end(lease: Lease): void {
    this.#timers.get(lease.id)?.cancel();
    this.#timers.delete(lease.id);
    this.#tell(this.#parts.leases.remove(lease));
  }

  /** Lets the bridge refuse what was decided before. */
  #tell(axes: readonly AxisId[]): void {
    for (const axis of axes) this.#parts.link.authority(axis, this.#parts.leases.sequence(axis));
  }

  /** The reaction first, the record right after. */
  #lapse(lease: Lease): void {
    const { logger, stopLane } = this.#parts;
    const { id, axes, onLapse, principal } = lease;
    this.#end(lease);
    const moving = axes.filter((axis) => this.#mayMove(axis));
    logger.warn({ lease: id, axes, principal, onLapse }, "the holder of a lease is not heard any more");
    if (onLapse === "stop" && moving.length > 0)
      stopLane.raise({ name: `lease:${id}`, axes: moving }, "lapse", "controller");
    if (onLapse === "disable") stopLane.raise({ name: `lease:${id}`, axes }, "lapse", "controller");
    if (onLapse === "halt") for (const axis of moving) this.#command(lease, axis, "Halt");
    if (onLapse === "disable") for (const axis of axes) this.#command(lease, axis, "Disable");
    void this.#record([{ type: "LeaseLapsed", data: { leaseId: id, axes: [...axes], principal, onLapse } }], principal);
  }

  #command(lease: Lease, axis: AxisId, type: "Halt" | "Disable"): void {
    const { desk, logger, stopLane } = this.#parts;
    const principal = `lease:${lease.id}`;
    desk
      .submit({
        axis,
        request: { type },
        principal,
        key: `lapse:${type}:${axis}`,
        fingerprint: fingerprint("LAPSE", axis, {}),
      })
      .then((answer) => {
        if ("decision" in answer && answer.decision.kind === "accepted") return;
        // What cannot be halted in good order is stopped: a stop needs neither log nor leave.
        logger.warn({ lease: lease.id, axis, type, answer }, "the reaction to a lapse was refused: stop");
        stopLane.raise({ name: `lease:${lease.id}`, axes: [axis] }, "lapse", "controller");
      })
      .catch((error: unknown) => logger.error({ error, axis }, "the reaction to a lapse broke"));
  }

  #mayMove(axis: AxisId): boolean {
    const { book } = this.#parts;
    const { moving, open } = book.current(axis);
    return moving || open.size > 0 || (book.reading(axis)?.moving ?? true);
  }

  /** Why it could not be recorded; null when it is on disk. */
  async #record(events: readonly DomainEvent[], actor: string): Promise<ProblemFacts | null> {
    const { journal, config, logger } = this.#parts;
    try {
      await journal.record([{ stream: boxStream(config.box), events, origin: { actor } }]);
      return null;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      logger.error({ error, events }, "a change of control could not be recorded");
      return logUnavailable(error.code);
    }
  }
}

const noLease = (id: string): ProblemFacts => ({
  slug: "not-found",
  detail: `no lease ${JSON.stringify(id.slice(0, 80))}: it was given back, taken over or has lapsed`,
  remedy: "GET /v1/leases shows who controls what; ask for a lease anew",
});
