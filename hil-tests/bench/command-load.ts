import { randomUUID } from "node:crypto";
import { sleep } from "@servofleet/runtime/clock";
import { KeepAliveClient, type Target } from "./keep-alive-client.ts";
import type { WorkerParts } from "./worker-parts.ts";

export interface CommandPlan {
  readonly target: Target;
  readonly axis: string;
  /** Positions taken in turns, display units. */
  readonly positions: readonly number[];
  readonly count: number;
  readonly pauseMs: number;
}
export interface CommandFigures {
  /** POST to 202 of each command, ms. */
  readonly latenciesMs: readonly number[];
  /** Answers other than 202 by their status, with count and newest body. */
  readonly others: Readonly<Record<string, { readonly count: number; readonly body: string }>>;
}

/** Sends moves one after the other, each aborting the one before it. */
export function commandLoad({ clock }: WorkerParts) {
  return {
    async run({ target, axis, positions, count, pauseMs }: CommandPlan): Promise<CommandFigures> {
      const client = new KeepAliveClient(target);
      const latenciesMs: number[] = [];
      const others: Record<string, { count: number; body: string }> = {};
      for (let sent = 0; sent < count; sent++) {
        const body = JSON.stringify({ type: "MoveAbsolute", position: positions[sent % positions.length] });
        const startedMs = clock.monotonicMs();
        const key = `idempotency-key: ${randomUUID()}\r\n`;
        const { status, body: answer } = await client.request("POST", `/v1/axes/${axis}/commands`, body, key);
        latenciesMs.push(clock.monotonicMs() - startedMs);
        if (status !== 202) others[status] = { count: (others[status]?.count ?? 0) + 1, body: answer };
        await sleep(clock, pauseMs);
      }
      client.close();
      return { latenciesMs, others };
    },
  };
}
