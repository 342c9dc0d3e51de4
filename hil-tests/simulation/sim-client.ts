import type { AxisId, CommandId, CommandRequest, JogRequest } from "@servofleet/contracts";
import type { WriteApi } from "@servofleet/controller/api/write-api";
import type { LeaseTerms } from "@servofleet/controller/authority/lease-desk";
import { isRefusal } from "@servofleet/controller/domain/decide";
import { reconcile } from "@servofleet/controller/domain/reconcile";
import { cancel } from "@servofleet/controller/domain/withdraw";
import { LogError } from "@servofleet/controller/event-log/event-log";
import type { Answer } from "@servofleet/controller/inbox/decision";
import { type StopTarget, stopScope } from "@servofleet/controller/stop/stop-scope";
import type { Attempt, SimHistory, WishRecord } from "./sim-history.ts";
import type { SimWorld } from "./sim-world.ts";

/** A client hangs up then, as any HTTP client does. */
const ANSWER_LIMIT_MS = 1500;
/** What no answer looks like. */
export const NOBODY = Symbol("no answer");

/** A client of the write side: what the routes do between a request and the desks, without HTTP. */
export class SimClient {
  readonly principal: string;
  readonly #world: SimWorld;
  readonly #history: SimHistory;

  constructor(world: SimWorld, history: SimHistory, principal: string) {
    this.#world = world;
    this.#history = history;
    this.principal = principal;
  }

  wish(key: string, axis: AxisId, request: CommandRequest): WishRecord {
    const ttlMs = request.ttlMs ?? 5000;
    const made: WishRecord = { key, axis, request, ttlMs, attempts: [], commandId: null, problem: null };
    this.#history.wishes.push(made);
    return made;
  }

  /** Sends the wish once; asked again with the same key it must be the same command. */
  async send(wish: WishRecord, leaseToken?: string): Promise<Attempt["answer"]> {
    const attempt: Attempt = { atMs: this.#world.nowMs, answer: "none", replayed: false };
    wish.attempts.push(attempt);
    const { key, axis, request } = wish;
    const fingerprint = `${axis} ${JSON.stringify(request)}`;
    const token = leaseToken === undefined ? {} : { leaseToken };
    const asked = { axis, request, principal: this.principal, key, fingerprint, ...token };
    const answer = await this.ask((api) => api.desk.submit(asked));
    if (answer !== NOBODY) this.#told(wish, attempt, answer);
    return attempt.answer;
  }

  stop(target: StopTarget): void {
    const { config, api, nowMs } = this.#world;
    const scope = stopScope(config, target);
    if (!scope || !api) return;
    this.#world.say(`${this.principal} stops ${scope.name}: ${scope.axes.join(" ")}`);
    this.#history.stops.push({ atMs: nowMs, axes: scope.axes, logTrouble: api.log.trouble !== null });
    api.stopLane.raise(scope, "person", this.principal);
  }

  cancel(axis: AxisId, commandId: CommandId): Promise<string | typeof NOBODY> {
    return this.ask(async (api) => {
      const kept = api.admission.toRecord();
      if (kept) return kept.slug;
      const outcome = cancel(api.book.current(axis), commandId, this.principal);
      if (isRefusal(outcome)) return outcome.problem.slug;
      await api.journal.record([{ axis, events: outcome, origin: { actor: this.principal } }]);
      return "cancelled";
    });
  }

  reconcile(axis: AxisId, decision: "adopt" | "abandon"): Promise<string | typeof NOBODY> {
    return this.ask(async (api) => {
      const kept = api.admission.toRecord();
      if (kept) return kept.slug;
      const outcome = reconcile(api.book.current(axis), decision, this.principal);
      if (isRefusal(outcome)) return outcome.problem.slug;
      await api.journal.record([{ axis, events: outcome, origin: { actor: this.principal } }]);
      return "reconciled";
    });
  }

  lease(axes: readonly AxisId[], terms: LeaseTerms) {
    return this.ask(async (api) =>
      api.admission.toRecord() ? null : api.leaseDesk.grant(axes, terms, this.principal),
    );
  }

  take(id: string) {
    return this.ask(async (api) =>
      api.admission.toRecord() ? null : api.leaseDesk.take(id, "mine now", {}, this.principal),
    );
  }

  jog(axis: AxisId, asked: JogRequest) {
    const fingerprint = `jog ${axis} ${JSON.stringify(asked)}`;
    const caller = { principal: this.principal, fingerprint, leaseToken: undefined };
    return this.ask(async (api) => (api.admission.toCommand(axis) ? null : api.jogs.open(axis, asked, caller)));
  }

  /** Asks the controller of now; whoever gets no answer in time, or finds nobody, has none. */
  ask<T>(question: (api: WriteApi) => Promise<T>): Promise<T | typeof NOBODY> {
    const { api, outside } = this.#world;
    if (!api) return Promise.resolve(NOBODY);
    return new Promise((resolve) => {
      const limit = outside.after(ANSWER_LIMIT_MS, () => resolve(NOBODY));
      const told = (answer: T | typeof NOBODY): void => {
        // What a process says after its death reaches nobody.
        if (this.#world.api !== api) return;
        limit.cancel();
        resolve(answer);
      };
      question(api).then(told, (error: unknown) => {
        if (!(error instanceof LogError)) this.#world.crashed("a desk", error);
        told(NOBODY);
      });
    });
  }

  #told(wish: WishRecord, attempt: Attempt, answer: Answer): void {
    if ("notTaken" in answer) {
      attempt.answer = "not-taken";
      wish.problem = answer.notTaken.slug;
      return;
    }
    const { decision, replayed } = answer;
    attempt.answer = decision.kind;
    attempt.replayed = replayed;
    if (wish.commandId !== null && wish.commandId !== decision.commandId)
      this.#world.crashed("idempotency", `key ${wish.key} names ${wish.commandId} and ${decision.commandId}`);
    wish.commandId = decision.commandId;
    if (decision.kind === "rejected") wish.problem = decision.problem.slug;
  }
}
