import type { CommandView } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { BenchAxis } from "./abilities.ts";
import type { GatewayClient } from "./gateway-client.ts";
import type { RigBox } from "./rig-box.ts";
import { StepError } from "./rig-error.ts";
import type { Permit } from "./rig-file.ts";
import type { PlannedRun } from "./rig-plan.ts";
import type { Role } from "./scenario.ts";

/** What a mark remembers of every axis of the scenario. */
export interface Mark {
  /** Newest entry of the simulated drive's record; 0 where there is none to read. */
  readonly seq: number;
  /** Displayed position, units. */
  readonly shown: number;
  /** True place of a simulated axis, motor counts. */
  readonly place: number | undefined;
}

/** One scenario while it runs: its axes, its names, its hands. */
export interface RunState {
  readonly plan: PlannedRun;
  readonly gateway: GatewayClient;
  readonly box: RigBox;
  readonly clock: Clock;
  readonly permit: readonly Permit[];
  /** Command ids by the names that steps gave them. */
  readonly named: Map<string, string>;
  /** Every command of the scenario, oldest first. */
  readonly commands: string[];
  readonly marks: Map<string, ReadonlyMap<string, Mark>>;
  /** Makes idempotency keys new: the box remembers them for a day, and a rig may be run twice against it. */
  readonly salt: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The axis of a role; a scenario that speaks of one it has not is refused when it is read. */
export function axisOf({ plan }: RunState, role: Role): BenchAxis {
  const axis = plan.axes[role];
  if (!axis) throw new StepError(`the scenario has no axis ${role}`);
  return axis;
}

/** All axes of the scenario. */
export const axesOf = ({ plan }: RunState): readonly BenchAxis[] => Object.values(plan.axes);

/** Between two looks at something that takes its time. */
const LOOK_EVERY_MS = 25;

/** Looks until `accept` says nothing is missing. A look that fails counts as not yet (a service may be starting again). */
export async function lookUntil<T>(
  state: RunState,
  look: () => Promise<T>,
  missing: (seen: T) => readonly string[],
  limitMs: number,
): Promise<T> {
  const end = state.clock.monotonicMs() + limitMs;
  for (;;) {
    let why: readonly string[];
    try {
      const seen = await look();
      why = missing(seen);
      if (why.length === 0) return seen;
    } catch (error) {
      why = [error instanceof Error ? error.message : String(error)];
    }
    if (state.signal.aborted) throw new StepError("interrupted");
    if (state.clock.monotonicMs() >= end) throw new StepError(`not within ${limitMs} ms: ${why.join("; ")}`);
    await pause(state, LOOK_EVERY_MS);
  }
}

/** Waits without looking. */
export const pause = ({ clock }: RunState, ms: number): Promise<void> =>
  new Promise<void>((resolve) => clock.after(ms, resolve));

/** The story of a command that a step named. */
export function storyOf(state: RunState, name: string): Promise<CommandView> {
  const id = state.named.get(name);
  if (id === undefined) throw new StepError(`no command ${name} was accepted in this run`);
  return state.gateway.command(id);
}
