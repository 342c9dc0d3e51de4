import type { Frame } from "@servofleet/contracts";
import { failure } from "./failure.ts";
import type { Waiting } from "./line-schedule.ts";
import type { LinkError, LinkErrorCode, ModbusRequest, TransactionDone, TransactionOptions } from "./link.ts";

/** One transaction from the call to its end. */
export interface Job extends Waiting {
  readonly request: ModbusRequest;
  readonly options: TransactionOptions;
  readonly frames: Frame[];
  /** Of a request to several units: the jobs that it carries out. */
  readonly members?: readonly Job[];
  /** Was asked together with others in vain: goes by itself now. */
  alone: boolean;
  /** Bytes of it may have reached the drive. */
  sent: boolean;
  /** The drive has not yet refused a longer read in its place. */
  mayPad: boolean;
  /** Questions asked first, to get late answers out of the way. */
  flushes: number;
  /** Echoes of a stop that may have been late ones of older writes. */
  echoes: number;
  resolve(done: TransactionDone): void;
  reject(error: LinkError): void;
}

export function newJob(
  unit: number,
  request: ModbusRequest,
  options: TransactionOptions,
  queuedMs: number,
  settle: Pick<Job, "resolve" | "reject">,
): Job {
  return {
    class: options.class,
    unit,
    queuedMs,
    notAfterMs: options.notAfterMs,
    block: `${request.fn}:${request.address}`,
    request,
    options,
    frames: [],
    sent: false,
    mayPad: true,
    flushes: 0,
    echoes: 0,
    alone: false,
    ...settle,
  };
}

/** What a failure is called once bytes are out: nobody may take it for "nothing was sent". */
const AFTER_SENDING: Partial<Record<LinkErrorCode, LinkErrorCode>> = {
  "link-down": "link-lost",
  closed: "link-lost",
  expired: "no-reply",
  withdrawn: "no-reply",
  "queue-full": "no-reply",
  "breaker-open": "no-reply",
};

/** Ends a job with a failure. */
export function failJob(job: Job, code: LinkErrorCode, facts: Readonly<Record<string, unknown>>): void {
  const honest = job.sent ? (AFTER_SENDING[code] ?? code) : code;
  job.reject(failure(honest, { unit: job.unit, ...facts }, job.sent, job.frames));
}
