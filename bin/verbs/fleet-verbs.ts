import type { AcceptedView, AxisView, CommandRequest, CommandView, Page, StopView } from "@servofleet/contracts";
import { call, RefusedError, type Target, UnreachableError } from "./api-client.ts";
import { axisTable } from "./axis-lines.ts";
import { figure, type Output } from "./output.ts";

/** A stop is answered after a second at most; what takes longer is no answer, ms. */
const STOP_LIMIT_MS = 3000;
/** Longest wait for the end of a command (`--wait`), s. */
export const WAIT_MAX_S = 60;

/** `axes`: the fleet now, or as it was (`replay --at`). */
export async function showAxes(target: Target, out: Output, at?: string): Promise<number> {
  const { body } = await call<Page<AxisView>>(
    target,
    "GET",
    at === undefined ? "/v1/axes?limit=200" : `/v1/axes?limit=200&at=${encodeURIComponent(at)}`,
  );
  out.show(body, () => axisTable(body.items));
  return 0;
}

/** One command to one axis; with `waitS` until its end. Exit code 0 only when it is accepted, or ended `succeeded`. */
export async function sendCommand(
  target: Target,
  out: Output,
  axis: string,
  request: CommandRequest,
  waitS?: number,
): Promise<number> {
  const headers = waitS === undefined ? {} : { prefer: `wait=${Math.min(waitS, WAIT_MAX_S)}` };
  const limitMs = ((waitS ?? 0) + 10) * 1000;
  const { status, body } = await call<AcceptedView | CommandView>(
    target,
    "POST",
    `/v1/axes/${encodeURIComponent(axis)}/commands`,
    { body: request, headers, limitMs },
  );
  if (status === 202 || !("transitions" in body)) {
    out.show(body, () => `${request.type} accepted as ${body.commandId}\n  servofleet why ${body.commandId}`);
    return 0;
  }
  out.show(
    body,
    () =>
      `${body.type} ${body.state}${body.finalError === null ? "" : `, final error ${figure(body.finalError)}`}${body.problem ? `\n  ${body.problem.detail}\n  ${body.problem.remedy}` : ""}`,
  );
  return body.state === "succeeded" ? 0 : 1;
}

/** `stop`: by the gateway, and when it is dead by the controller's own socket. Exit code 0 only when every axis acknowledged. */
export async function stopAxes(
  target: Target,
  controllerSocket: string,
  out: Output,
  paths: readonly string[],
): Promise<number> {
  const asked = await Promise.allSettled(paths.map((path) => postStop(target, controllerSocket, out, path)));
  const items = asked.flatMap((one) => (one.status === "fulfilled" ? one.value.items : []));
  const refused = asked.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  if (items.length > 0) out.show({ items }, () => items.map(stopLine).join("\n"));
  for (const error of refused.slice(1)) out.note((error as Error).message);
  if (refused.length > 0) throw refused[0];
  const acknowledged = items.every((item) => item.result === "acknowledged");
  if (!acknowledged) out.note("no confirmation from every axis: treat those as moving");
  return acknowledged ? 0 : 1;
}

async function postStop(target: Target, controllerSocket: string, out: Output, path: string): Promise<StopView> {
  const stop = (to: Target) => call<StopView>(to, "POST", path, { limitMs: STOP_LIMIT_MS });
  const { body } = await stop(target).catch((error: unknown) => {
    const gatewayDead =
      error instanceof UnreachableError || (error instanceof RefusedError && error.facts.status === 503);
    if (!gatewayDead) throw error;
    out.note(`the gateway did not pass it on; asking the controller at ${controllerSocket}`);
    return stop({ kind: "socket", path: controllerSocket });
  });
  return body;
}

const stopLine = (item: StopView["items"][number]): string =>
  `${item.axis}: stop ${item.result}${item.recorded ? "" : ", not in the log"}${item.problem ? ` (${item.problem.detail})` : ""}`;
