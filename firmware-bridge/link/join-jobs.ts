import { type LineCost, replyMicros, requestMicros } from "./bus-cost.ts";
import { failJob, type Job, newJob } from "./line-job.ts";
import type { LineSchedule } from "./line-schedule.ts";
import type { LinkError, ModbusRequest, ReadRequest, TransactionDone, UnitPart, WriteManyRequest } from "./link.ts";

/** Units that take part in requests to several at once: their profiles name the instructions. */
export interface Together {
  readonly syncRead: readonly number[];
  readonly bulkRead: readonly number[];
  readonly syncWrite: readonly number[];
}

/** A stop waits for the answers of all: they take at most this share of the line's longest wait for one silent drive. */
export const JOINED_SHARE = 0.5;
/** Data of a write to several, bytes: what the shorter of the packets holds. */
const JOINED_BYTES_MAX = 240;
/** After so many requests in a row that not all have answered, everybody is asked alone for a while. */
const FAILURES_MAX = 3;
const REST_MS = 10_000;
/** A servo has its data when the frame ends; behind it the line rests for its interrupt, ms. */
const WRITE_REST_MS = 1;

export interface JoinParts {
  readonly together: Together;
  readonly cost: LineCost;
  readonly nowMs: () => number;
  /** The unit answers, and no late answer of it is on the way. */
  readonly isWell: (unit: number) => boolean;
  /** The unit that means all and answers nothing. */
  readonly broadcastUnit: number;
  /** Queues a job once more. */
  readonly again: (job: Job) => void;
}

/**
 * Puts jobs that wait at the same moment into one request to all of their units, where that is cheaper in bus time:
 * nobody waits for others to come, so an idle line is as quick as ever and a full one gets emptier.
 */
export class JobJoiner {
  readonly #parts: JoinParts;
  #failures = 0;
  #restUntilMs = 0;

  constructor(parts: JoinParts) {
    this.#parts = parts;
  }

  /** The job whose turn it is, or one that carries others out with it; undefined when none may be sent any more. */
  join(first: Job, schedule: LineSchedule<Job>): Job | undefined {
    const isRead = first.request.fn === "read";
    const members = isRead ? this.#reads(first, schedule) : this.#writes(first, schedule);
    if (members.length < 2) return members[0];
    schedule.removeWhere((job) => members.includes(job));
    return isRead ? this.#readJob(members) : this.#writeJob(members);
  }

  #reads(first: Job, schedule: LineSchedule<Job>): readonly Job[] {
    const isPolled = first.class === "poll" || first.class === "confirm";
    if (!isPolled || this.#parts.nowMs() < this.#restUntilMs || !this.#mayRead(first)) return [first];
    let members: readonly Job[] = [first];
    let micros = this.#micros(first.request);
    for (const job of schedule.list(first.class)) {
      if (!this.#mayRead(job) || members.some(({ unit }) => unit === job.unit)) continue;
      const request = this.#readOf([...members, job]);
      if (!request) continue;
      const joined = this.#micros(request);
      if (joined > this.#mostMicros) break;
      if (joined >= micros + this.#micros(job.request)) continue;
      members = [...members, job];
      micros = joined;
    }
    return members;
  }

  #mayRead = ({ request, unit, alone }: Job): boolean =>
    request.fn === "read" && !alone && this.#parts.together.syncRead.includes(unit) && this.#parts.isWell(unit);

  /** Undefined where the ranges differ and a unit has no bulk read. */
  #readOf(jobs: readonly Job[]): ReadRequest | undefined {
    const reads = jobs.map(({ unit, request }) => ({ unit, ...(request as ReadRequest) }));
    const [one] = reads;
    const isOneRange = reads.every(({ address, quantity }) => address === one?.address && quantity === one.quantity);
    const { bulkRead } = this.#parts.together;
    if (!one || !(isOneRange || reads.every(({ unit }) => bulkRead.includes(unit)))) return undefined;
    const parts = reads.map(({ unit, address, quantity }): UnitPart => ({ unit, address, quantity }));
    return { fn: "read", address: one.address, quantity: sum(parts.map(({ quantity }) => quantity)), parts };
  }

  /** Who takes part is asked right before the frame leaves: a stop or a newer order keeps its own axis out, not the others. */
  #writes(first: Job, schedule: LineSchedule<Job>): readonly Job[] {
    if (!this.#mayWrite(first, first)) return [first];
    const asked = [first, ...schedule.list(first.class).filter((job) => this.#mayWrite(job, first))];
    const inTime = unique(asked).slice(0, Math.floor(JOINED_BYTES_MAX / (1 + valuesOf(first).length)));
    while (inTime.length > 1 && this.#micros(writeOf(inTime)) > this.#mostMicros) inTime.pop();
    if (inTime.length < 2) return [first];
    return inTime.filter((job) => {
      const reason = job.options.beforeFirstByte?.();
      if (reason === undefined) return true;
      schedule.removeWhere((waiting) => waiting === job);
      failJob(job, "withdrawn", { reason });
      return false;
    });
  }

  #mayWrite(job: Job, like: Job): boolean {
    const { request, options, unit } = job;
    return (
      options.mayJoin === true &&
      request.fn === "write-many" &&
      request.address === like.request.address &&
      request.values.length === valuesOf(like).length &&
      this.#parts.together.syncWrite.includes(unit)
    );
  }

  #readJob(members: readonly Job[]): Job {
    const request = this.#readOf(members);
    const [first] = members as [Job];
    const job = newJob(first.unit, request ?? first.request, { class: first.class }, this.#parts.nowMs(), {
      resolve: (done) => {
        this.#failures = 0;
        deal(members, done);
      },
      reject: (error) => this.#lost(members, error),
    });
    return { ...job, members };
  }

  #lost(members: readonly Job[], error: LinkError): void {
    const isSilence = error.code === "no-reply" || error.code === "exception";
    if (isSilence && ++this.#failures >= FAILURES_MAX) {
      this.#failures = 0;
      this.#restUntilMs = this.#parts.nowMs() + REST_MS;
    }
    for (const member of members) {
      member.alone = true;
      // Reading moves nothing: who has not answered is found out one by one.
      if (isSilence) this.#parts.again(member);
      else failJob(member, error.code, error.facts);
    }
  }

  #writeJob(members: readonly Job[]): Job {
    const [first] = members as [Job];
    const onSent: NonNullable<Job["options"]["onSent"]> = (sent) => {
      for (const member of members) {
        member.sent = true;
        member.frames.push(sent.frame);
        member.options.onSent?.(sent);
      }
    };
    const options = { class: first.class, broadcastDelayMs: WRITE_REST_MS, onSent };
    const job = newJob(this.#parts.broadcastUnit, writeOf(members), options, this.#parts.nowMs(), {
      resolve: (done) => {
        for (const member of members) member.resolve({ ...done, frames: member.frames, unanswered: true });
      },
      reject: (error) => {
        for (const member of members) failJob(member, error.code, error.facts);
      },
    });
    return { ...job, members };
  }

  /** What a joined frame and its answers may take on the wire, microseconds. */
  get #mostMicros(): number {
    return JOINED_SHARE * this.#parts.cost.replyWaitMaxUs;
  }

  #micros = (request: ModbusRequest): number =>
    requestMicros(request, this.#parts.cost) + replyMicros(request, this.#parts.cost);
}

function writeOf(members: readonly Job[]): WriteManyRequest {
  const quantity = valuesOf(members[0] as Job).length;
  const address = members[0]?.request.address ?? 0;
  const parts = members.map(({ unit }) => ({ unit, address, quantity }));
  return { fn: "write-many", address, values: members.flatMap(valuesOf), parts };
}

/** Everybody gets the own share of what was read. */
function deal(members: readonly Job[], done: TransactionDone): void {
  let from = 0;
  for (const member of members) {
    const quantity = member.request.fn === "read" ? member.request.quantity : 0;
    member.resolve({ ...done, registers: done.registers.slice(from, from + quantity) });
    from += quantity;
  }
}

const valuesOf = ({ request }: Pick<Job, "request">): readonly number[] =>
  request.fn === "write-many" ? request.values : [];
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const unique = (jobs: readonly Job[]) => [...new Map(jobs.map((job) => [job.unit, job])).values()];
