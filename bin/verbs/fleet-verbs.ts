import type { AcceptedView, AxisView, CommandRequest, CommandView, Page, StopView } from "@servofleet/contracts";
import { call, follow, RefusedError, type Target, UnreachableError } from "./api-client.ts";
import { axisTable } from "./axis-lines.ts";
import { figure, type Output } from "./output.ts";

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

/** `watch`: the table again on every change, or one JSON line per live sample. Ends with Ctrl-C. */
export async function watchAxes(
  target: Target,
  out: Output,
  axes: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  if (out.json) {
    await follow(target, "/v1/live", ({ data }) => data && out.show(JSON.parse(data), String), signal);
    return 0;
  }
  let busy = false;
  await follow(
    target,
    "/v1/live",
    () => {
      if (busy) return;
      busy = true;
      call<Page<AxisView>>(target, "GET", "/v1/axes?limit=200")
        .then(({ body }) => {
          const shown = body.items.filter((axis) => axes.length === 0 || axes.includes(axis.id));
          process.stdout.write(`\u001b[H\u001b[J${axisTable(shown)}\n`);
        })
        .catch((error: Error) => out.note(error.message))
        .finally(() => (busy = false));
    },
    signal,
  );
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
export async function stopAxes(target: Target, controllerSocket: string, out: Output, path: string): Promise<number> {
  const stop = (to: Target) => call<StopView>(to, "POST", path, { limitMs: 5000 });
  const { body } = await stop(target).catch((error: unknown) => {
    const gatewayDead =
      error instanceof UnreachableError || (error instanceof RefusedError && error.facts.status === 503);
    if (!gatewayDead) throw error;
    out.note(`the gateway did not pass it on; asking the controller at ${controllerSocket}`);
    return stop({ kind: "socket", path: controllerSocket });
  });
  out.show(body, () =>
    body.items
      .map(
        (item) =>
          `${item.axis}: stop ${item.result}${item.recorded ? "" : ", not in the log"}${item.problem ? ` (${item.problem.detail})` : ""}`,
      )
      .join("\n"),
  );
  const acknowledged = body.items.every((item) => item.result === "acknowledged");
  if (!acknowledged) out.note("no confirmation from every axis: treat those as moving");
  return acknowledged ? 0 : 1;
}
