import type {
  AxisId,
  CommandId,
  CommandRequest,
  Order,
  ProblemFacts,
  ProblemSlug,
  RecordedEvent,
} from "@servofleet/contracts";
import { PROBLEMS, streamSubject, typed } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";

/** A command as the API took it from a request: its shape is right, nothing else is known yet. */
export interface Wish {
  readonly axis: AxisId;
  readonly request: CommandRequest;
  readonly principal: string;
  /** Given by the client; absent when it does not want to repeat the request. */
  readonly key?: string;
  readonly fingerprint: string;
  readonly expectedVersion?: number;
  readonly traceparent?: string;
  /** Shows that the client controls the axis (`Lease-Token`). */
  readonly leaseToken?: string;
  /** Hold-to-run: the session whose beats keep it going. */
  readonly hold?: Order["hold"];
}

/** A decision that is on disk. */
export type Decision =
  | {
      readonly kind: "accepted";
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly position: number;
      readonly fingerprint: string;
    }
  | {
      readonly kind: "rejected";
      readonly commandId: CommandId;
      readonly problem: ProblemFacts;
      readonly fingerprint: string;
    };

/** How a wish was answered. `not-taken`: nothing was decided and nothing recorded; the same request may come again. */
export type Answer =
  | { readonly decision: Decision; readonly replayed: boolean }
  | { readonly notTaken: ProblemFacts; readonly commandId?: CommandId };

/** Statuses of refusals that are recorded and replayed (API.md). */
const DECIDED_STATUSES: ReadonlySet<number> = new Set([409, 412, 422, 423]);
export const isDecided = (slug: ProblemSlug): boolean => DECIDED_STATUSES.has(PROBLEMS[slug].status);

/** The decision as its event tells it: the answer to a repeated request, also after a restart. */
export function decisionOf(recorded: RecordedEvent): Decision {
  const event = typed(recorded);
  const commandId = event.id as CommandId;
  if (event.type === "CommandRejected") {
    return { kind: "rejected", commandId, problem: event.data.problem, fingerprint: event.data.fingerprint };
  }
  assert("fingerprint" in event.data, `${event.type} ${event.id} decides no command`);
  const axis = streamSubject(event.stream) as AxisId;
  return { kind: "accepted", commandId, axis, position: event.position, fingerprint: event.data.fingerprint };
}
