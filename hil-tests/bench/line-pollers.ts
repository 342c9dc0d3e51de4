import { LinkError } from "@servofleet/firmware-bridge/link/link";
import { sleep } from "@servofleet/runtime/clock";
import { systemRandom } from "@servofleet/runtime/system-clock";
import { type LineLinkPlan, openLineLink } from "./line-link.ts";
import { quantile } from "./statistics.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** Pause of a poller whose unit is known to be silent, ms: the axis's own. */
const RETRY_MS = 100;
const COMMAND_REGISTER = 100;
/** Commands come at random, this far apart at most, ms. */
const COMMAND_EVERY_MS = 50;

/** Polls of all units as fast as they go, and now and then a command to one that answers, for `durationMs`. */
export interface PollingPlan extends LineLinkPlan {
  readonly registers: number;
  readonly durationMs: number;
  /** Units that get no commands, because they are silent. */
  readonly silent: readonly number[];
}
export interface PollingFigures {
  /** Answered polls per second of the units that are not silent. */
  readonly perS: number;
  readonly commands: number;
  /** From the call to the first byte in the kernel, ms. */
  readonly commandP50Ms: number;
  readonly commandP99Ms: number;
  readonly commandMaxMs: number;
  readonly failedCommands: number;
}

/** The bridge's link under the load that its axes put on it. */
export function linePollers({ clock }: WorkerParts) {
  return {
    async run(plan: PollingPlan): Promise<PollingFigures> {
      const link = await openLineLink(plan, clock);
      const random = systemRandom();
      const answering = Array.from({ length: plan.units }, (_, at) => at + 1).filter((u) => !plan.silent.includes(u));
      let answered = 0;
      let failedCommands = 0;
      let ended = false;
      const poller = async (unit: number) => {
        while (!ended) {
          try {
            const request = { fn: "read", address: 0, quantity: plan.registers } as const;
            await link.transact(unit, request, { class: "poll" });
            if (!plan.silent.includes(unit)) answered += 1;
          } catch (error) {
            if (!(error instanceof LinkError)) throw error;
            await sleep(clock, RETRY_MS);
          }
        }
      };
      const waitsMs: number[] = [];
      const commander = async () => {
        while (!ended) {
          await sleep(clock, random.next() * COMMAND_EVERY_MS);
          const unit = answering[Math.floor(random.next() * answering.length)] ?? 1;
          const askedMs = clock.monotonicMs();
          const request = { fn: "write", address: COMMAND_REGISTER, value: 1 } as const;
          const onSent = ({ monotonicMs }: { readonly monotonicMs: number }) =>
            void waitsMs.push(monotonicMs - askedMs);
          await link.transact(unit, request, { class: "command", onSent }).catch(() => {
            failedCommands += 1;
          });
        }
      };
      const loops = [commander(), ...Array.from({ length: plan.units }, (_, at) => poller(at + 1))];
      try {
        // Turn-arounds are learned and breakers have opened before it counts.
        await sleep(clock, plan.durationMs / 4);
        answered = 0;
        waitsMs.length = 0;
        const startedMs = clock.monotonicMs();
        await sleep(clock, plan.durationMs);
        const perS = (answered * 1000) / (clock.monotonicMs() - startedMs);
        return {
          perS,
          commands: waitsMs.length,
          commandP50Ms: quantile(waitsMs, 0.5),
          commandP99Ms: quantile(waitsMs, 0.99),
          commandMaxMs: quantile(waitsMs, 1),
          failedCommands,
        };
      } finally {
        ended = true;
        await link.close();
        await Promise.allSettled(loops);
      }
    },
  };
}
