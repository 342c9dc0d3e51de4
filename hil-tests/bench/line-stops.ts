import type { Link } from "@servofleet/firmware-bridge/link/link";
import { LinkError } from "@servofleet/firmware-bridge/link/link";
import { sleep } from "@servofleet/runtime/clock";
import { type LineLinkPlan, openLineLink } from "./line-link.ts";
import type { WorkerParts } from "./worker-parts.ts";

const PAUSE_AFTER_FAILURE_MS = 5;

/** Polls of all units as fast as they go, for as long as stops are tried. */
export interface LoadPlan extends LineLinkPlan {
  readonly registers: number;
}
export interface StopAsked {
  readonly unit: number;
  readonly address: number;
  readonly value: number;
}

/** The bridge's link on a line that is full of polls, in a process of its own as in the product; takes stops. */
export function lineStops({ clock }: WorkerParts) {
  let link: Link | undefined;
  const poll = async (unit: number, registers: number, on: Link) => {
    while (link === on) {
      try {
        await on.transact(unit, { fn: "read", address: 0, quantity: registers }, { class: "poll" });
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        await sleep(clock, PAUSE_AFTER_FAILURE_MS);
      }
    }
  };
  return {
    async open(plan: LoadPlan): Promise<void> {
      const opened = await openLineLink(plan, clock);
      link = opened;
      for (let unit = 1; unit <= plan.units; unit++) void poll(unit, plan.registers, opened);
    },
    /** Resolves when the unit has answered. */
    async stop({ unit, address, value }: StopAsked): Promise<void> {
      await link?.transact(unit, { fn: "write", address, value }, { class: "stop" });
    },
    async close(): Promise<void> {
      const closing = link;
      link = undefined;
      await closing?.close();
    },
  };
}
