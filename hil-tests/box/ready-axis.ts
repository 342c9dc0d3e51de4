import type { AxisView, CommandView } from "@servofleet/contracts";
import { TERMINAL_STATES } from "@servofleet/contracts";
import type { RunningBox } from "./running-box.ts";
import { until } from "./until.ts";

/** A refused or failed step on the way is tried again until the axis is ready or this limit is over. */
const READY_LIMIT_MS = 45_000;

/**
 * What a person does after trouble: reconciles, resets a latch or a fault once the axis stands, enables, homes.
 * Nothing of it is retried blindly: each round looks at the axis first.
 */
export async function readyAxis(box: RunningBox, id: string): Promise<AxisView> {
  const { axis } = await until(
    `axis ${id} is ready for motion`,
    async () => {
      // What the log knows: a read side that lags would call an axis ready that has just been stopped.
      const seen = await box.read<AxisView>(`/v1/axes/${id}`);
      await nextStep(box, seen);
      const { enabled, moving } = await box.drive(id);
      return { axis: seen, drive: { enabled, moving } };
    },
    // A drive that leaves its quick stop by itself, disabled, has not been read again yet.
    ({ axis: seen, drive }) => isReady(seen) && drive.enabled && !drive.moving,
    READY_LIMIT_MS,
  );
  return axis;
}

const isReady = (axis: AxisView): boolean =>
  axis.state === "standstill" && axis.homed && !axis.stopLatched && !axis.reconcileRequired;

async function nextStep(box: RunningBox, axis: AxisView): Promise<void> {
  if (axis.state === "offline" || isReady(axis)) return;
  if (axis.reconcileRequired) {
    await box.call("POST", `/v1/axes/${axis.id}/reconcile`, { decision: "abandon" });
  } else if (axis.state === "error-stop" || axis.stopLatched) {
    await box.run(axis.id, { type: "Reset" });
  } else if (axis.state === "disabled") {
    await box.run(axis.id, { type: "Enable" });
  } else if (axis.state === "standstill" && !axis.homed) {
    await box.run(axis.id, { type: "Home" });
  }
}

/** Waits until each command has ended, whatever way, and returns their stories. */
export async function allEnded(box: RunningBox, ids: readonly string[], limitMs = 60_000): Promise<CommandView[]> {
  const stories: CommandView[] = [];
  for (const id of ids) {
    const story = await until(
      `command ${id} has ended`,
      () => box.command(id),
      ({ state }) => TERMINAL_STATES.has(state),
      limitMs,
    );
    stories.push(story);
  }
  return stories;
}
