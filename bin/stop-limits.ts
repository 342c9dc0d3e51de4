import type { FleetConfig } from "@servofleet/contracts";
import { FINISH_WAIT_MS, STANDSTILL_WAIT_MS } from "@servofleet/firmware-bridge/bridge/shut-down";

/** How long the controller waits for axes at rest: its own SHUTDOWN_LIMIT_MS, repeated so that a supervisor need not load it. */
export const CONTROLLER_WAITS_MS = 10_000;
/** For closing files and sockets once the axes have been seen to. */
const CLOSING_MS = 1500;

/** How long each process may take to end before it is killed, ms: each limit is longer than what it waits for. */
export interface StopLimits {
  /** Counted from when the controller has stopped waiting for it. */
  readonly bridgeMs: number;
  readonly controllerMs: number;
  readonly otherMs: number;
}

export const OTHER_STOP_LIMIT_MS = 5000;

/** `onShutdown: finish` lets a motion run on, and everybody above the bridge has to wait as long. */
export function stopLimits(config: FleetConfig): StopLimits {
  const finishes = config.axes.some((axis) => axis.onShutdown === "finish");
  const bridgeMs = (finishes ? FINISH_WAIT_MS : 0) + STANDSTILL_WAIT_MS + CLOSING_MS;
  return { bridgeMs, controllerMs: CONTROLLER_WAITS_MS + bridgeMs + CLOSING_MS, otherMs: OTHER_STOP_LIMIT_MS };
}
