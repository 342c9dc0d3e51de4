import { type AxisView, type CommandView, TERMINAL_STATES } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { BenchAxis } from "./abilities.ts";
import { StepError } from "./rig-error.ts";
import { lookUntil, type RunState } from "./run-state.ts";
import type { Scenario } from "./scenario.ts";

const READY_LIMIT_MS = 60_000;
/** A step that goes on failing for one and the same reason is not tried for longer than this. */
const SAME_TROUBLE_MS = 12_000;
/** An axis that is ready stays so: a drive may leave its quick stop by itself, disabled, a moment after the latch is released. */
const STEADY_MS = 120;
/** Longest wait of one request for a command's end, s: what the product takes. */
const WAIT_S = 20;

/**
 * What a person does before and after trouble: reconcile, reset a latch or a fault once the axis stands, enable, home.
 * Nothing is repeated blindly: each round looks at the axis first.
 */
export async function bringTo(state: RunState, bench: BenchAxis, start: Scenario["start"]): Promise<void> {
  if (start === "as-is") return;
  const trouble = new StepTrouble(state.clock);
  let readySinceMs: number | null = null;
  await lookUntil(
    state,
    async () => {
      const axis = await state.gateway.axis(bench.id);
      const step = nextStep(axis, start, bench.homingRequired);
      if (step === "reconcile")
        await state.gateway.call("POST", `/v1/axes/${bench.id}/reconcile`, { decision: "abandon" });
      else if (step !== undefined) trouble.ended(step, await runToEnd(state, bench.id, step));
      return state.gateway.axis(bench.id);
    },
    (axis) => {
      const missing = notThere(axis, start, bench.homingRequired);
      const nowMs = state.clock.monotonicMs();
      readySinceMs = missing.length === 0 ? (readySinceMs ?? nowMs) : null;
      const steady = readySinceMs !== null && nowMs - readySinceMs >= STEADY_MS;
      if (steady || trouble.lasts) return [];
      return missing.length === 0 ? [`${bench.id} has only just become ready`] : [...missing, ...trouble.words];
    },
    READY_LIMIT_MS,
  );
  if (trouble.lasts) throw new StepError(`${bench.id} is not ready: ${trouble.words.join("; ")}`);
}

/** Why the last step failed, and since when it fails for that reason. */
class StepTrouble {
  readonly #clock: Clock;
  #words: string | null = null;
  #sinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get words(): readonly string[] {
    return this.#words === null ? [] : [this.#words];
  }

  get lasts(): boolean {
    return this.#words !== null && this.#clock.monotonicMs() - this.#sinceMs > SAME_TROUBLE_MS;
  }

  /** `why` is empty when the step came to a good end. */
  ended(step: NextStep, why: string): void {
    const words = why === "" ? null : `${step} failed: ${why}`;
    if (words !== this.#words) this.#sinceMs = this.#clock.monotonicMs();
    this.#words = words;
  }
}

type NextStep = "reconcile" | "Reset" | "Enable" | "Disable" | "Home";

/** The one thing to do next for an axis that shall be `start`; undefined when it is there or has to be waited for. */
export function nextStep(
  axis: AxisView,
  start: Exclude<Scenario["start"], "as-is">,
  homing: boolean,
): NextStep | undefined {
  if (axis.state === "offline") return undefined;
  if (axis.reconcileRequired) return "reconcile";
  if (axis.state === "error-stop" || axis.stopLatched) return "Reset";
  if (start === "disabled") return axis.state === "standstill" ? "Disable" : undefined;
  if (axis.state === "disabled") return "Enable";
  return start === "ready" && homing && axis.state === "standstill" && !axis.homed ? "Home" : undefined;
}

function notThere(axis: AxisView, start: Exclude<Scenario["start"], "as-is">, homing: boolean): readonly string[] {
  const wanted = start === "disabled" ? "disabled" : "standstill";
  const clean = !axis.stopLatched && !axis.reconcileRequired && axis.fault === null;
  const fresh = axis.measured.quality === "good" && axis.currentCommand === null;
  const homed = start !== "ready" || !homing || axis.homed;
  if (axis.state === wanted && clean && fresh && homed) return [];
  const { state, stopLatched, reconcileRequired, fault, measured } = axis;
  return [
    `${axis.id} is not ready: ${JSON.stringify({ state, stopLatched, reconcileRequired, homed: axis.homed, fault: fault?.name ?? null, quality: measured.quality, currentCommand: axis.currentCommand })}`,
  ];
}

/** Runs one command to its end; returns why it did not succeed, or nothing. */
async function runToEnd(state: RunState, axis: string, type: NextStep): Promise<string> {
  const answer = await state.gateway.send(axis, { type }, { prefer: `wait=${WAIT_S}` });
  if (answer.status !== 202 && answer.status !== 200) return answer.body.detail;
  const told = answer.body as unknown as CommandView;
  const command = TERMINAL_STATES.has(told.state) ? told : await endOf(state, type, told.commandId);
  return command.state === "succeeded" ? "" : (command.problem?.detail ?? command.state);
}

const endOf = (state: RunState, type: NextStep, commandId: string): Promise<CommandView> =>
  lookUntil(
    state,
    () => state.gateway.command(commandId),
    (command) => (TERMINAL_STATES.has(command.state) ? [] : [`${type} is ${command.state}`]),
    READY_LIMIT_MS,
  );
