import type { AxisId, CommandRequest, ProblemSlug } from "@servofleet/contracts";

/** One try of one wish, as its client saw it. */
export interface Attempt {
  readonly atMs: number;
  /** The decision; a refusal that nothing was recorded of; or no answer. */
  answer: "accepted" | "rejected" | "not-taken" | "none";
  replayed: boolean;
}

/** One wish of one client under one key. */
export interface WishRecord {
  readonly key: string;
  readonly axis: AxisId;
  readonly request: CommandRequest;
  readonly ttlMs: number;
  readonly attempts: Attempt[];
  commandId: string | null;
  problem: ProblemSlug | null;
}

/** A stop as somebody asked for it. */
export interface StopAsked {
  readonly atMs: number;
  readonly axes: readonly AxisId[];
  readonly logTrouble: boolean;
}

/** What the clients did and were told: what the laws hold the house to. */
export class SimHistory {
  readonly wishes: WishRecord[] = [];
  readonly stops: StopAsked[] = [];
}
