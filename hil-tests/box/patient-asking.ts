import type { StopView } from "@servofleet/contracts";
import type { Answer, RunningBox, ServiceName } from "./running-box.ts";
import { until } from "./until.ts";

/**
 * Posts a stop until every axis has acknowledged it and the log has it. A box waits one second for both and then says
 * what is missing: a host that pauses for longer is no fault of it, and twice stopped is stopped.
 */
export const confirmedStop = (box: RunningBox, path: string): Promise<Answer<StopView>> =>
  until(
    `${path} is acknowledged and recorded`,
    () => box.call<StopView>("POST", path),
    ({ status, body }) => status === 200 && body.items.every(({ recorded }) => recorded),
  );

/** Resets an axis; refused while its drive has not been read since the stop, which takes as long as the host lets it. */
export async function resetAxis(box: RunningBox, axis: string): Promise<void> {
  await until(
    `${axis} is reset`,
    () => box.run(axis, { type: "Reset" }),
    ({ state }) => state === "succeeded",
  );
}

/** Signals a service once it runs: it may just be started again. Returns its process id. */
export async function signalService(box: RunningBox, service: ServiceName, signal: NodeJS.Signals): Promise<number> {
  const pid = await until(
    `${service} runs`,
    () => box.pid(service) ?? 0,
    (found) => found > 0,
  );
  process.kill(pid, signal);
  return pid;
}
