import {
  type AxisId,
  type CommandId,
  JOG_BEAT_MS,
  JOG_WINDOW_MS,
  type JogBeat,
  type JogRequest,
  type JogView,
  type ProblemFacts,
  type RecordedEvent,
} from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { uuidV7 } from "@servofleet/runtime/random-id";
import type { BridgeLink } from "../bridge-link/bridge-link.ts";
import type { Axis } from "../domain/axis-state.ts";
import type { AxisBook } from "../inbox/axis-book.ts";
import type { CommandDesk } from "../inbox/command-desk.ts";
import { endsCommand } from "../inbox/command-waiters.ts";
import type { LeaseBook } from "./lease-book.ts";
import type { LeaseDesk } from "./lease-desk.ts";

export interface JogDeskParts {
  readonly book: AxisBook;
  readonly leases: LeaseBook;
  readonly leaseDesk: LeaseDesk;
  readonly desk: CommandDesk;
  readonly link: BridgeLink;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who asks for a jog. */
export interface JogCaller {
  readonly principal: string;
  readonly fingerprint: string;
  readonly leaseToken: string | undefined;
}

interface Session {
  view: JogView;
  /** Its own lease; null when the caller brought one. */
  readonly ownLease: { readonly id: string; readonly token: string } | null;
}

/** Ended sessions of which is known how they ended. */
const ENDED_MAX = 256;
/** The own lease of a session only has to outlive its window; the axis is halted by the window long before. */
const OWN_LEASE_MS = 5000;

type Answer = { readonly view: JogView } | { readonly problem: ProblemFacts; readonly commandId?: CommandId };

/**
 * Hold-to-run. A session is one move towards the soft limit that lives as long as beats come; the window runs in the
 * bridge. Each beat carries a greater number and the challenge of the answer before, so that none can be repeated.
 */
export class JogDesk {
  readonly #parts: JogDeskParts;
  readonly #sessions = new Map<string, Session>();
  readonly #ended = new Map<string, string>();

  constructor(parts: JogDeskParts) {
    this.#parts = parts;
  }

  async open(axis: AxisId, asked: JogRequest, caller: JogCaller): Promise<Answer> {
    const unready = notReady(this.#parts.book.current(axis));
    if (unready) return { problem: unready };
    const ownLease = await this.#ownLease(axis, caller);
    if (ownLease && "slug" in ownLease) return { problem: ownLease };
    const opened = await this.#start(axis, asked, caller, ownLease);
    if ("problem" in opened && ownLease) await this.#parts.leaseDesk.giveBack(ownLease.id, ownLease.token);
    return opened;
  }

  /** Still held. */
  beat(id: string, { seq, challenge }: JogBeat): Answer {
    const session = this.#sessions.get(id);
    if (!session) return { problem: this.#over(id) };
    const { view, ownLease } = session;
    if (seq <= view.seq || challenge !== view.challenge) {
      const detail = `beat ${seq} does not follow beat ${view.seq}: a repeated or foreign beat holds nothing`;
      const remedy = "send a greater seq with the challenge of the last answer; let go and press again";
      return { problem: { slug: "forbidden", detail, remedy } };
    }
    this.#parts.link.jogBeat(view.axis as AxisId, id, false);
    if (ownLease) this.#parts.leaseDesk.renew(ownLease.id, ownLease.token);
    session.view = { ...view, seq, challenge: this.#challenge() };
    return { view: session.view };
  }

  /** Let go. Null when done. */
  async release(id: string): Promise<ProblemFacts | null> {
    const session = this.#sessions.get(id);
    if (!session) return this.#over(id);
    this.#parts.link.jogBeat(session.view.axis as AxisId, id, true);
    await this.#end(session, "it was let go");
    return null;
  }

  /** Give it everything that reaches the disk: a session ends with its command. */
  recorded(events: readonly RecordedEvent[]): void {
    if (this.#sessions.size === 0) return;
    for (const event of events) {
      if (event.commandId === null || !endsCommand(event)) continue;
      for (const session of this.#sessions.values())
        if (session.view.commandId === event.commandId) void this.#end(session, `its command ended: ${event.type}`);
    }
  }

  async #ownLease(axis: AxisId, { principal, leaseToken }: JogCaller) {
    const { leases, leaseDesk } = this.#parts;
    if (leaseToken !== undefined || leases.holder(axis)) {
      const control = leases.control(axis, "MoveAbsolute", leaseToken);
      return "slug" in control ? control : null;
    }
    const granted = await leaseDesk.grant([axis], { ttlMs: OWN_LEASE_MS, onLapse: "halt", purpose: "jog" }, principal);
    return "problem" in granted ? granted.problem : granted.lease;
  }

  async #start(
    axis: AxisId,
    { direction, velocity }: JogRequest,
    { principal, fingerprint, leaseToken }: JogCaller,
    ownLease: Session["ownLease"],
  ): Promise<Answer> {
    const { book, desk, clock, random } = this.#parts;
    const { config, displayOffset } = book.current(axis);
    const target = (direction === 1 ? config.limits.max : config.limits.min) + displayOffset;
    const id = uuidV7(clock, random);
    const token = ownLease?.token ?? leaseToken;
    const answer = await desk.submit({
      axis,
      request: { type: "MoveAbsolute", position: target, velocity },
      principal,
      fingerprint,
      hold: { session: id, windowMs: JOG_WINDOW_MS },
      ...(token === undefined ? {} : { leaseToken: token }),
    });
    if ("notTaken" in answer) return { problem: answer.notTaken };
    const { decision } = answer;
    if (decision.kind === "rejected") return { problem: decision.problem, commandId: decision.commandId };
    const { commandId } = decision;
    const timing = { windowMs: JOG_WINDOW_MS, beatMs: JOG_BEAT_MS, seq: 0, challenge: this.#challenge() };
    const view: JogView = { id, axis, commandId, direction, velocity, target, ...timing };
    const session = { view, ownLease };
    this.#sessions.set(id, session);
    // It may have ended while its acceptance was written.
    if (!book.current(axis).open.has(commandId)) await this.#end(session, "its command ended at once");
    return { view };
  }

  async #end(session: Session, how: string): Promise<void> {
    const { view, ownLease } = session;
    if (!this.#sessions.delete(view.id)) return;
    this.#ended.set(view.id, how);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_MAX) break;
      this.#ended.delete(oldest);
    }
    const { leases, leaseDesk, link } = this.#parts;
    const axis = view.axis as AxisId;
    // An order of the session that has not left must not start a window of its own.
    leases.fence([axis]);
    link.authority(axis, leases.sequence(axis));
    if (ownLease) await leaseDesk.giveBack(ownLease.id, ownLease.token);
  }

  #over(id: string): ProblemFacts {
    const how = this.#ended.get(id);
    const session = `jog session ${JSON.stringify(id.slice(0, 80))}`;
    const remedy = "let go of the button, press it again and open a new session";
    if (how === undefined) return { slug: "not-found", detail: `no ${session}`, remedy };
    return { slug: "jog-ended", detail: `${session} has ended: ${how}`, remedy };
  }

  #challenge(): string {
    return Buffer.from(this.#parts.random.bytes(8)).toString("hex");
  }
}

/** The limit it runs towards means nothing before homing, and a button is pressed beside an axis that stands. */
function notReady({ id, state, homed, config, moving }: Axis): ProblemFacts | null {
  const refuse = (detail: string, remedy: string): ProblemFacts => ({ slug: "axis-not-ready", detail, remedy });
  if (config.homing.required && !homed) return refuse(`axis ${id} is not homed`, "send Home first");
  if (state !== "standstill" || moving)
    return refuse(
      `axis ${id} is in state ${state}; a jog starts from standstill`,
      "enable it, or wait until it stands",
    );
  return null;
}
