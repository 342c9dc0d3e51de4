import { type AxisView, type CommandView, TERMINAL_STATES } from "@servofleet/contracts";
import type { BenchAxis } from "./abilities.ts";
import { lookUntil, type RunState } from "./run-state.ts";
import type { Scenario } from "./scenario.ts";

const READY_LIMIT_MS = 60_000;
/** Longest wait of one request for a command's end, s: what the product takes. */
const WAIT_S = 20;

/**
 * What a person does before and after trouble: reconcile, reset a latch or a fault once the axis stands, enable, home.
 * Nothing is repeated blindly: each round looks at the axis first.
 */
export async function bringTo(state: RunState, bench: BenchAxis, start: Scenario["start"]): Promise<void> {
  if (start === "as-is") return;
  await lookUntil(
    state,
    async () => {
      const axis = await state.gateway.axis(bench.id);
      const step = nextStep(axis, start, bench.homingRequired);
      if (step === "reconcile")
        await state.gateway.call("POST", `/v1/axes/${bench.id}/reconcile`, { decision: "abandon" });
      else if (step !== undefined) await runToEnd(state, bench.id, step);
      return state.gateway.axis(bench.id);
    },
    (axis) => notThere(axis, start, bench.homingRequired),
    READY_LIMIT_MS,
  );
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

async function runToEnd(state: RunState, axis: string, type: NextStep): Promise<void> {
  const answer = await state.gateway.send(axis, { type }, { prefer: `wait=${WAIT_S}` });
  const { commandId, state: reached } = answer.body as unknown as CommandView;
  if (answer.status === 202 && !TERMINAL_STATES.has(reached))
    await lookUntil(
      state,
      () => state.gateway.command(commandId),
      (command) => (TERMINAL_STATES.has(command.state) ? [] : [`${type} is ${command.state}`]),
      READY_LIMIT_MS,
    );
}
