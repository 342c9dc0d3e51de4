import type { CommandId } from "@servofleet/contracts";
import type { Decision } from "./decision.ts";

/** Decisions kept in memory; older ones are looked up in the log. */
const RECENT_MAX = 1024;

/** The newest decisions, so that a repeated request usually costs no disk. */
export class RecentDecisions {
  readonly #decisions = new Map<CommandId, Decision>();

  get(commandId: CommandId): Decision | undefined {
    return this.#decisions.get(commandId);
  }

  add(decision: Decision): void {
    this.#decisions.set(decision.commandId, decision);
    if (this.#decisions.size <= RECENT_MAX) return;
    for (const oldest of this.#decisions.keys()) {
      this.#decisions.delete(oldest);
      return;
    }
  }
}
