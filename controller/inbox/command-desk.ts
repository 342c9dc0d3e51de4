import {
  type Command,
  type CommandId,
  type ProblemFacts,
  type RecordedEvent,
  TTL_DEFAULT_MS,
} from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { Clock } from "@servofleet/runtime/clock";
import type { Control, LeaseBook } from "../authority/lease-book.ts";
import type { Dispatcher, DispatchTerms } from "../dispatch/dispatcher.ts";
import type { AxisEvent } from "../domain/axis-event.ts";
import { decide, isRefusal, rejected } from "../domain/decide.ts";
import { waitsForReading } from "../domain/readiness.ts";
import { refuse } from "../domain/refusal.ts";
import { type EventLog, LogError } from "../event-log/event-log.ts";
import { type Admission, logUnavailable } from "./admission.ts";
import type { AxisBook } from "./axis-book.ts";
import type { CommandIdentity } from "./command-identity.ts";
import { type Answer, type Decision, decisionOf, isDecided, type Wish } from "./decision.ts";
import type { Journal } from "./journal.ts";
import { RecentDecisions } from "./recent-decisions.ts";

/** How long a Reset waits for the first reading after its stop: some turns of a busy line. */
const READING_LIMIT_MS = 500;

export interface CommandDeskParts {
  readonly log: EventLog;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly admission: Admission;
  readonly identity: CommandIdentity;
  readonly clock: Clock;
  /** Takes a command until it may no longer be sent (monotonic ms): with its acceptance, or once that is on disk. */
  readonly dispatch: Pick<Dispatcher, "join" | "enqueue">;
  readonly leases: LeaseBook;
}

/** Takes wishes: each is decided once, whatever is asked again. */
export class CommandDesk {
  readonly #parts: CommandDeskParts;
  readonly #recent = new RecentDecisions();
  /** Wishes on their way to a decision: a twin waits for the first one's. */
  readonly #deciding = new Map<CommandId, { readonly fingerprint: string; readonly answer: Promise<Answer> }>();

  constructor(parts: CommandDeskParts) {
    this.#parts = parts;
  }

  /** Resolves when the decision is on disk (202 and recorded refusals), or with what kept it from being decided. */
  async submit(wish: Wish): Promise<Answer> {
    const { identity, clock } = this.#parts;
    const receivedAtMs = clock.monotonicMs();
    const commandId = identity.of(wish.principal, wish.key ?? identity.newKey());
    const twin = this.#deciding.get(commandId);
    if (twin) return this.#asTwin(wish, await twin.answer, twin.fingerprint);
    const answer = this.#answer(wish, commandId, receivedAtMs);
    this.#deciding.set(commandId, { fingerprint: wish.fingerprint, answer });
    return answer.finally(() => this.#deciding.delete(commandId));
  }

  #asTwin(wish: Wish, answer: Answer, fingerprint: string): Answer {
    if (fingerprint !== wish.fingerprint) return { notTaken: keyReused(wish) };
    return "decision" in answer ? this.#replay(wish, answer.decision) : answer;
  }

  async #answer(wish: Wish, commandId: CommandId, receivedAtMs: number): Promise<Answer> {
    const recent = this.#recent.get(commandId);
    if (recent) return this.#replay(wish, recent);
    try {
      // A made-up key names nothing that the log could know.
      const known = wish.key === undefined ? undefined : await this.#parts.log.findById(commandId);
      if (known) return this.#replay(wish, decisionOf(known));
      await this.#read(wish);
      return await this.#decide(wish, commandId, receivedAtMs);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      return { notTaken: logUnavailable(error.code), commandId };
    }
  }

  /** A Reset right after its stop comes before the reading that it needs. */
  async #read({ axis, request }: Wish): Promise<void> {
    const { book, clock } = this.#parts;
    const missing = () => book.has(axis) && waitsForReading(request.type, book.current(axis), book.reading(axis));
    if (!missing()) return;
    let over = false;
    const limit = Promise.withResolvers<void>();
    const timer = clock.after(READING_LIMIT_MS, () => {
      over = true;
      limit.resolve();
    });
    while (missing() && !over) await Promise.race([book.nextReport(axis), limit.promise]);
    timer.cancel();
  }

  #replay(wish: Wish, decision: Decision): Answer {
    if (decision.fingerprint !== wish.fingerprint) return { notTaken: keyReused(wish) };
    this.#recent.add(decision);
    return { decision, replayed: true };
  }

  async #decide(wish: Wish, commandId: CommandId, receivedAtMs: number): Promise<Answer> {
    const { book, admission, leases } = this.#parts;
    const kept = admission.toCommand(wish.axis);
    if (kept) return { notTaken: kept };
    const command = commandOf(wish, commandId, receivedAtMs);
    const control = leases.control(wish.axis, wish.request.type, wish.leaseToken);
    const outcome =
      "slug" in control ? refuse(control) : decide(command, book.current(wish.axis), book.reading(wish.axis));
    if (!isRefusal(outcome)) {
      const { leaseSequence } = control as Control;
      return this.#accept(command, outcome, { leaseSequence, ...(wish.hold && { hold: wish.hold }) });
    }
    if (!isDecided(outcome.problem.slug)) return { notTaken: outcome.problem, commandId };
    return this.#settle(await this.#record(command, [rejected(command, outcome)]));
  }

  async #accept(command: Command, events: readonly AxisEvent[], terms: DispatchTerms): Promise<Answer> {
    const { dispatch } = this.#parts;
    const deadlineMs = command.receivedAtMs + command.ttlMs;
    const joint = dispatch.join(command, events, deadlineMs, terms);
    const recorded = await this.#record(command, [...events, ...(joint?.events ?? [])]).catch((error: unknown) => {
      joint?.refused();
      throw error;
    });
    // Decided once and on disk: from here it lives by its own deadline, whoever waits for the answer.
    if (joint) joint.recorded();
    else dispatch.enqueue(command, deadlineMs, terms);
    return this.#settle(recorded);
  }

  #record(command: Command, events: readonly AxisEvent[]): Promise<readonly RecordedEvent[]> {
    const { principal, traceparent } = command;
    const origin = { actor: principal, ...(traceparent === undefined ? {} : { traceparent }) };
    return this.#parts.journal.record([{ axis: command.axis, events, origin }]);
  }

  #settle(recorded: readonly RecordedEvent[]): Answer {
    const first = recorded[0];
    assert(first !== undefined, "a decision was recorded without an event");
    const decision = decisionOf(first);
    this.#recent.add(decision);
    return { decision, replayed: false };
  }
}

function commandOf(wish: Wish, commandId: CommandId, receivedAtMs: number): Command {
  const { axis, request, principal, fingerprint, expectedVersion, traceparent } = wish;
  return {
    commandId,
    axis,
    request,
    principal,
    fingerprint,
    receivedAtMs,
    ttlMs: request.ttlMs ?? TTL_DEFAULT_MS,
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

const keyReused = (wish: Wish): ProblemFacts => ({
  slug: "idempotency-key-reused",
  detail: `the key ${JSON.stringify(wish.key?.slice(0, 80))} stands for another request`,
  remedy: "use a new Idempotency-Key for a new request, or repeat the first one unchanged",
});
