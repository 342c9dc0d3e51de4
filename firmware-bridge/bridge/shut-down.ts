import { type Clock, sleep } from "@servofleet/runtime/clock";
import type { AxisSupervisor } from "../axis/axis-supervisor.ts";

/** How long a stopped axis is waited for until it is seen at rest, ms. */
export const STANDSTILL_WAIT_MS = 5000;
/** How long `onShutdown: finish` lets a motion run on, ms. */
export const FINISH_WAIT_MS = 60_000;
const LOOK_MS = 20;

/** Brings every axis to what its `onShutdown` says. Resolves when done, or when its time is over. */
export async function settleAxes(axes: readonly AxisSupervisor[], clock: Clock): Promise<void> {
  await Promise.all(axes.map((axis) => settleAxis(axis, clock)));
}

async function settleAxis(axis: AxisSupervisor, clock: Clock): Promise<void> {
  switch (axis.config.onShutdown) {
    case "leave":
      return;
    case "finish":
      if (await waitIdle(axis, clock, FINISH_WAIT_MS)) return;
      break;
    case "stop":
      break;
  }
  if (!axis.busy) return;
  axis.stopByBridge("shutdown");
  await waitIdle(axis, clock, STANDSTILL_WAIT_MS);
}

/**
 * Waits for every axis after its controller is gone: those that were told to stop until they stand, those that may finish
 * until they have. A successor at the door reads and watches for itself; until it has the lines no stop reaches a drive, so
 * it waits for acknowledgements only.
 */
export async function settleOrphans(
  axes: readonly AxisSupervisor[],
  clock: Clock,
  successor: AbortSignal,
): Promise<void> {
  await Promise.all(axes.map((axis) => settleOrphan(axis, clock, successor)));
}

async function settleOrphan(axis: AxisSupervisor, clock: Clock, successor: AbortSignal): Promise<void> {
  const handedOver = () => successor.aborted && !axis.status().stopPending;
  if (axis.config.onControllerLost === "finish") {
    if ((await waitIdle(axis, clock, FINISH_WAIT_MS, handedOver)) || handedOver()) return;
    axis.stopByBridge("controller-lost");
  }
  await waitIdle(axis, clock, STANDSTILL_WAIT_MS, handedOver);
}

async function waitIdle(
  axis: AxisSupervisor,
  clock: Clock,
  limitMs: number,
  leaveEarly: () => boolean = () => false,
): Promise<boolean> {
  const untilMs = clock.monotonicMs() + limitMs;
  while (axis.busy && !leaveEarly() && clock.monotonicMs() < untilMs) await sleep(clock, LOOK_MS);
  return !axis.busy;
}
