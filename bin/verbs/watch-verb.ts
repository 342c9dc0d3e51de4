import type { AxisView, Page } from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { call, type Target } from "./api-client.ts";
import { axisLine, axisTable } from "./axis-lines.ts";
import { followStream } from "./event-stream.ts";
import type { Output } from "./output.ts";

/** Axes to watch that the box does not have. */
class NoSuchAxisError extends Error {
  override readonly name = "NoSuchAxisError";
  readonly code = "not-found";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(unknown: readonly string[], known: readonly string[]) {
    super(`no axis ${unknown.map((id) => `"${id}"`).join(", ")}`);
    this.facts = { unknown, known };
    this.hint = `one of ${known.join(", ")}`;
  }
}

const HOME_AND_CLEAR = "\u001b[H\u001b[J";

/**
 * `watch`: on a terminal the table, drawn again on every change; else one line for each axis that changed; with `--json`
 * one document per line and axis. Ends with Ctrl-C.
 */
export async function watchAxes(
  target: Target,
  out: Output,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const first = await readAxes(target);
  const known = first.map(({ id }) => id as string);
  const unknown = wanted.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new NoSuchAxisError(unknown, known);
  const axes = new Map(
    first.filter(({ id }) => wanted.length === 0 || wanted.includes(id)).map((axis) => [axis.id, axis]),
  );
  const draw = drawer(out);
  draw([...axes.values()]);
  const clock = systemClock();
  await followStream({ target, out, clock, signal }, "/v1/live", ({ data }) => {
    const axis = JSON.parse(data) as AxisView;
    if (!axes.has(axis.id)) return;
    axes.set(axis.id, axis);
    draw([...axes.values()], axis);
  });
  return 0;
}

const readAxes = async (target: Target): Promise<readonly AxisView[]> =>
  (await call<Page<AxisView>>(target, "GET", "/v1/axes?limit=200")).body.items;

/** Draws the axes; `changed` is the one that came, all of them without it. */
function drawer(out: Output): (axes: readonly AxisView[], changed?: AxisView) => void {
  if (!out.json && process.stdout.isTTY)
    return (axes) => void process.stdout.write(`${HOME_AND_CLEAR}${axisTable(axes)}\n`);
  const shown = new Map<string, string>();
  return (axes, changed) => {
    for (const axis of changed ? [changed] : axes) {
      const line = axisLine(axis);
      if (!out.json && shown.get(axis.id) === line) continue;
      shown.set(axis.id, line);
      out.show(axis, () => `${axis.asOf}  ${line}`);
    }
  };
}
