import type { AxisView, CloudEvent, CommandView, Page } from "@servofleet/contracts";
import { call, RefusedError, type Target } from "./api-client.ts";
import type { Output } from "./output.ts";
import { commandStory } from "./why-story.ts";

/** A command has about ten events; this many mean that something else is wrong. */
const EVENTS_MAX = 1000;

/** `why`: the whole story of one command, cause first; for programs the command, its events and the axis as it was before. */
export async function tellWhy(target: Target, out: Output, commandId: string): Promise<number> {
  const id = encodeURIComponent(commandId);
  const { body: command } = await call<CommandView>(target, "GET", `/v1/commands/${id}`);
  const { body } = await call<Page<CloudEvent>>(target, "GET", `/v1/events?command=${id}&limit=${EVENTS_MAX}`);
  const axisBefore = await axisAsItWas(target, command);
  out.show({ command, events: body.items, axisBefore }, () => commandStory(command, body.items, axisBefore));
  return 0;
}

/** The axis right before the decision; null when it was not known then. */
async function axisAsItWas(target: Target, { axis, transitions }: CommandView): Promise<AxisView | null> {
  const before = Number(transitions[0]?.logPosition.split(".").at(-1)) - 1;
  if (!(before > 0)) return null;
  try {
    return (await call<AxisView>(target, "GET", `/v1/axes/${axis}?atPosition=${before}`)).body;
  } catch (error) {
    if (error instanceof RefusedError) return null;
    throw error;
  }
}
