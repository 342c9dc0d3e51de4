import type { Frame } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import type { LineCost } from "./bus-cost.ts";
import type { Exchange, Outcome, Question, Sent } from "./exchange.ts";
import { failure } from "./failure.ts";
import { exceptionIsAmbiguous, type Ghosts, type Guarded, guard, NO_GHOSTS, withGhost } from "./ghost-guard.ts";
import { failJob, type Job, newJob } from "./line-job.ts";
import type { LineTally } from "./line-tally.ts";
import { BROADCAST_DELAY_MS, type ModbusRequest } from "./link.ts";
import type { PollPace } from "./poll-pace.ts";
import type { UnitBook, UnitPage } from "./unit-book.ts";
import { afterReply, afterTimeout, OPEN_AFTER_TIMEOUTS, PROBE_WAIT_MAX_MS, replyWaitMs } from "./unit-health.ts";
import type { WireSession } from "./wire.ts";

/** Questions put before one job to get late answers out of the way. */
const FLUSHES_MAX = 2;
/** Time-outs in a row, of whatever unit, that end a TCP connection: the other end may be gone without a word. */
const SILENCES_MAX = 5;

export interface LineTurnParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly cost: LineCost;
  readonly exchange: Exchange;
  readonly tally: LineTally;
  readonly pace: PollPace;
  readonly book: UnitBook;
  /** Whether late answers can be mistaken (RTU). */
  readonly guarded: boolean;
  /** Answers tell neither register nor value. */
  readonly bareReplies: boolean;
  /** The connection may be dead without a word. */
  readonly diesUnseen: boolean;
  /** The unit that means all and answers nothing. */
  readonly broadcastUnit: number | undefined;
  /** Queues the job once more. */
  readonly again: (job: Job) => void;
  /** The breaker of the unit is open. */
  readonly opened: (unit: number) => void;
  readonly restart: (reason: string) => void;
  readonly finished: () => void;
}

/** What is on the wire for whom. */
interface Turn {
  readonly job: Job;
  readonly page: UnitPage;
  readonly guarded: Guarded;
  readonly request: ModbusRequest;
}

/** One job's turn on the wire: the last checks, the ghost guard, and what its outcome means for job and unit. */
export class LineTurn {
  readonly #parts: LineTurnParts;
  #turn: Turn | undefined;
  #silences = 0;
  /** Only a connection that has answered can have died unseen; a silent drive behind a living socket is no reason to reconnect. */
  #hasAnswered = false;

  constructor(parts: LineTurnParts) {
    this.#parts = parts;
  }

  /** What is on the wire now. */
  get job(): Job | undefined {
    return this.#turn?.job;
  }

  /** A cheap read of a silent unit, wanted by nobody but the line itself. */
  probeJob(page: UnitPage): Job {
    const nobody = { resolve: () => undefined, reject: () => undefined };
    return newJob(page.unit, page.probe, { class: "probe" }, this.#parts.clock.monotonicMs(), nobody);
  }

  /** Sends the job's request, or ends the job if it may not be sent any more. */
  take(session: WireSession, job: Job): void {
    const { clock, book, exchange } = this.#parts;
    const page = book.page(job.unit);
    const turn = this.#plan(job, page);
    const isFlush = turn.guarded.ask === "flush";
    if (isFlush && ++job.flushes > FLUSHES_MAX) {
      failJob(job, "no-reply", { cause: "late answers outstanding" });
      return;
    }
    if (!job.sent && !isFlush) {
      const reason = job.options.beforeFirstByte?.();
      if (reason !== undefined) {
        failJob(job, "withdrawn", { reason });
        return;
      }
    }
    const waitMs = this.#waitMs(job, page);
    if (job.class === "probe") book.probed(clock.monotonicMs(), waitMs);
    this.#turn = turn;
    const question = {
      unit: job.unit,
      request: turn.request,
      waitMs,
      distrustExceptions: exceptionIsAmbiguous(page.ghosts, turn.request, this.#parts.bareReplies),
    };
    const sent = exchange.ask(session, this.#isBroadcast(job) ? this.#toAll(question, job) : question, (outcome) =>
      this.#ended(turn, outcome),
    );
    if (sent) this.#sent(turn, sent);
    if (!exchange.busy && this.#turn === turn) {
      this.#turn = undefined;
      failJob(job, "link-down", { cause: "the port takes no bytes" });
      this.#parts.restart("the port takes no bytes");
    }
  }

  /** The session is gone: the request under way, if any, has an unknown outcome. */
  lost(reason: string): void {
    const turn = this.#turn;
    this.#turn = undefined;
    this.#silences = 0;
    this.#hasAnswered = false;
    this.#parts.exchange.reset();
    if (turn) failJob(turn.job, "link-down", { reason });
  }

  #plan(job: Job, page: UnitPage): Turn {
    const guarded: Guarded = this.#parts.guarded
      ? guard(page.ghosts, job.request, job.class === "stop", job.mayPad, this.#parts.bareReplies)
      : { ask: "as-is" };
    const request = guarded.ask === "padded" || guarded.ask === "flush" ? guarded.request : job.request;
    return { job, page, guarded, request };
  }

  /** Motion waits the whole cap, because giving up early leaves an unknown outcome; polls give up as soon as they learned to. */
  #waitMs(job: Job, page: UnitPage): number {
    const capMs = this.#parts.cost.replyWaitMaxUs / 1000;
    if (job.class === "stop" || job.class === "command") return capMs;
    if (job.members) return Math.min(capMs, this.#waitOfAll(job.members, capMs));
    return replyWaitMs(page.health, job.class === "probe" ? Math.min(capMs, PROBE_WAIT_MAX_MS) : capMs);
  }

  /** Each answers in its turn. */
  #waitOfAll = (members: readonly Job[], capMs: number): number =>
    members.reduce((waitMs, { unit }) => waitMs + replyWaitMs(this.#parts.book.page(unit).health, capMs), 0);

  #sent({ job, guarded }: Turn, sent: Sent): void {
    const first = !job.sent;
    job.frames.push(sent.frame);
    if (guarded.ask === "flush") return;
    job.sent = true;
    if (first) job.options.onSent?.(sent);
  }

  #isBroadcast = (job: Job): boolean => job.unit === this.#parts.broadcastUnit;

  #toAll(question: Question, job: Job): Question {
    const capMs = this.#parts.cost.replyWaitMaxUs / 1000;
    return { ...question, broadcastMs: Math.min(job.options.broadcastDelayMs ?? BROADCAST_DELAY_MS, capMs) };
  }

  #ended(turn: Turn, outcome: Outcome): void {
    const { tally, cost } = this.#parts;
    this.#turn = undefined;
    if (outcome.rxFrame) turn.job.frames.push(outcome.rxFrame);
    const busyMs = outcome.endedMs - outcome.startedMs + cost.silenceUs / 1000;
    tally.transaction(busyMs, outcome.reply !== undefined);
    const whom = turn.job.members ?? [turn.job];
    for (const { unit } of whom) this.#parts.pace.spent(unit, turn.job.class === "poll", busyMs / whom.length);
    if (turn.job.members && turn.request.fn === "read") this.#allEnded(turn.job, turn.job.members, outcome);
    else if (this.#isBroadcast(turn.job)) this.#settle(turn.job, outcome);
    else if (outcome.reply) this.#answered(turn, outcome);
    else this.#silent(turn, outcome);
    this.#parts.finished();
  }

  /** A read of several units: all have answered, or nobody knows whose answer is still on its way. */
  #allEnded(job: Job, members: readonly Job[], outcome: Outcome): void {
    const { book, clock } = this.#parts;
    const waitedMs = outcome.endedMs - outcome.startedMs;
    this.#silences = 0;
    for (const { unit, request } of members) {
      const page = book.page(unit);
      if (outcome.reply) page.health = afterReply(page.health, null, clock.wallUs());
      else {
        page.ghosts = withGhost(page.ghosts, request);
        page.health = { ...page.health, quarantineUntilMs: clock.monotonicMs() + waitedMs };
      }
    }
    if (outcome.reply) this.#settle(job, outcome);
    else failJob(job, "no-reply", { waitedMs, crcErrors: outcome.crcErrors });
  }

  #answered(turn: Turn, outcome: Outcome): void {
    const { job, page, guarded, request } = turn;
    const { clock, tally } = this.#parts;
    this.#silences = 0;
    this.#hasAnswered = true;
    const clean = page.ghosts.length === 0 ? outcome.turnaroundMs : null;
    page.health = afterReply({ ...page.health, quarantineUntilMs: 0 }, clean, clock.wallUs());
    const exception = outcome.reply?.type === "exception";
    if (exception) tally.errors.exception++;
    if (guarded.ask === "twice" && !exception && job.echoes < guarded.late) {
      job.echoes++;
      this.#parts.again(job);
      return;
    }
    page.ghosts = stillOutstanding(page.ghosts, request);
    if (guarded.ask === "flush") {
      this.#parts.again(job);
      return;
    }
    if (!exception && request.fn === "read") page.probe = cheapest(request);
    this.#settle(job, outcome);
  }

  #settle(job: Job, outcome: Outcome): void {
    const { reply, startedMs, endedMs, middleUs } = outcome;
    if (reply?.type === "exception") {
      const facts = { unit: job.unit, exceptionCode: reply.exceptionCode, address: job.request.address };
      job.reject(failure("exception", facts, true, job.frames));
      return;
    }
    const read = "quantity" in job.request ? job.request.quantity : 0;
    const registers = reply?.type === "registers" ? reply.registers.slice(0, read) : [];
    const frames: readonly Frame[] = job.frames;
    job.resolve({ registers, frames, startedMs, endedMs, middleUs });
  }

  #silent(turn: Turn, outcome: Outcome): void {
    const { job, page, guarded, request } = turn;
    const { clock, random } = this.#parts;
    const waitedMs = outcome.endedMs - outcome.startedMs;
    if (outcome.doubtfulException && (guarded.ask === "padded" || guarded.ask === "flush")) {
      // Nothing but an exception came: the drive lives. It refuses the longer read, or it has answered the question.
      page.health = afterReply(page.health, null, clock.wallUs());
      if (guarded.ask === "padded") job.mayPad = false;
      else page.ghosts = NO_GHOSTS;
      this.#parts.again(job);
      return;
    }
    page.health = afterTimeout(page.health, clock.monotonicMs(), this.#parts.guarded ? waitedMs : 0, random.next());
    if (this.#parts.guarded) page.ghosts = withGhost(page.ghosts, request);
    if (guarded.ask === "flush") this.#parts.again(job);
    else failJob(job, "no-reply", { waitedMs, crcErrors: outcome.crcErrors });
    if (page.health.timeoutsInRow >= OPEN_AFTER_TIMEOUTS) this.#parts.opened(page.unit);
    if (this.#parts.diesUnseen && this.#hasAnswered && ++this.#silences >= SILENCES_MAX) {
      this.#parts.restart(`${SILENCES_MAX} requests in a row were not answered`);
    }
  }
}

/** An answer shows that all older ones are through, but an equal write may have been answered by its own late echo. */
function stillOutstanding(ghosts: Ghosts, answered: ModbusRequest): Ghosts {
  const twin = ghosts.some((ghost) => ghost.fn !== "read" && JSON.stringify(ghost) === JSON.stringify(answered));
  return twin ? [answered] : NO_GHOSTS;
}

/** Some drives answer only for whole objects, of up to two registers. */
const cheapest = (read: Extract<ModbusRequest, { fn: "read" }>): ModbusRequest =>
  read.quantity <= 2 ? read : { ...read, quantity: 1 };
