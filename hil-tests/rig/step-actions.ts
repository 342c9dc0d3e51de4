import type { ProblemDocument, StopView } from "@servofleet/contracts";
import type { Answer } from "../box/running-box.ts";
import type { BenchAxis } from "./abilities.ts";
import { lengthIn, partOf, placeIn } from "./amount.ts";
import { alternatives } from "./condition.ts";
import { StepError } from "./rig-error.ts";
import { axesOf, axisOf, lookUntil, type Mark, pause, type RunState, storyOf } from "./run-state.ts";
import type { CommandStep, FaultStep, Step, StopStep } from "./scenario.ts";

const PROCESS_LIMIT_MS = 30_000;
const VERSION_LIMIT_MS = 10_000;
const VERSION_REST_MS = 150;

/** Sends a command as the file says and checks the answer. @throws StepError */
export async function sendCommand(state: RunState, step: CommandStep): Promise<void> {
  const bench = axisOf(state, step.axis);
  const body = commandBody(step, bench);
  await guardReach(state, step, bench, body);
  const answer = await state.gateway.send(bench.id, body, await headersOf(state, step, bench));
  if (answer.status === 202) state.commands.push(answer.body.commandId);
  else if (answer.body.commandId !== undefined) state.commands.push(answer.body.commandId);
  if (step.refused !== undefined) return expectRefusal(answer, step.refused, step.type);
  if (answer.status !== 202) throw unexpected(step.type, answer);
  const replayed = answer.headers.get("idempotency-replayed") === "true";
  if (step.replayed !== undefined && replayed !== step.replayed)
    throw new StepError(`${step.type} was ${replayed ? "" : "not "}answered as a replay`);
  if (step.as !== undefined) state.named.set(step.as, answer.body.commandId);
}

/** The REST body: amounts become units of the axis. */
export function commandBody(step: CommandStep, { reach, limits }: BenchAxis): Record<string, unknown> {
  const rate = (limit: number, amount: CommandStep["velocity"]) =>
    amount === undefined ? undefined : partOf(limit, amount);
  const body = {
    type: step.type,
    position: step.position === undefined ? undefined : placeIn(reach, step.position),
    distance: step.distance === undefined ? undefined : lengthIn(reach, step.distance),
    velocity: rate(limits.velocity, step.velocity),
    acceleration: rate(limits.acceleration, step.acceleration),
    deceleration: rate(limits.acceleration, step.deceleration),
    parameter: step.parameter,
    value: step.value,
    ttlMs: step.ttlMs,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** A relative move on a real drive is judged from where the axis stands now, before anything is sent. */
async function guardReach(
  state: RunState,
  step: CommandStep,
  bench: BenchAxis,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (!bench.real || step.type !== "MoveRelative" || state.permit.includes("beyond-reach")) return;
  const { position } = (await state.gateway.axis(bench.id)).measured;
  const target = (position ?? Number.NaN) + Number(body["distance"]);
  if (target >= bench.reach.min && target <= bench.reach.max) return;
  throw new StepError(
    `not sent: it would end at ${target} ${bench.unitName}, beyond the reach of ${bench.reach.min} to ${bench.reach.max}; permit beyond-reach in the rig file`,
  );
}

async function headersOf(state: RunState, step: CommandStep, bench: BenchAxis): Promise<Record<string, string>> {
  const key =
    step.key === undefined
      ? {}
      : { "idempotency-key": `${state.plan.scenario.name}-${bench.id}-${step.key}-${state.salt}` };
  if (step.version === undefined) return key;
  const version = await settledVersion(state, bench);
  return { ...key, "if-match": `"${step.version === "current" ? version : Math.max(version - 1, 0)}"` };
}

/** The read side follows the log: two looks that agree have what was decided before. */
async function settledVersion(state: RunState, { id }: BenchAxis): Promise<number> {
  let before = -1;
  const look = async () => {
    const { version } = await state.gateway.axis(id);
    const same = version === before;
    before = version;
    await pause(state, VERSION_REST_MS);
    return { version, same };
  };
  return (await lookUntil(state, look, ({ same }) => (same ? [] : ["the version still changes"]), VERSION_LIMIT_MS))
    .version;
}

/** Stops, and checks the answer for the axis. @throws StepError */
export async function sendStop(state: RunState, step: StopStep): Promise<void> {
  const bench = axisOf(state, step.axis);
  const paths = {
    axis: `/v1/axes/${bench.id}/stop`,
    group: `/v1/groups/${bench.group ?? ""}/stop`,
    link: `/v1/links/${bench.link}/stop`,
    all: "/v1/stop",
  };
  const answer = await state.gateway.call<StopView>("POST", paths[step.what]);
  if (answer.status !== 200 && answer.status !== 202) throw unexpected("the stop", answer as Answer<never>);
  const own = answer.body.items.find(({ axis }) => axis === bench.id);
  if (own && alternatives(step.result).includes(own.result)) return;
  throw new StepError(`the stop of ${bench.id} is ${own?.result ?? "not answered"}, not ${step.result}`, {
    ...answer.body,
  });
}

export async function cancelCommand(state: RunState, step: Extract<Step, { do: "cancel" }>): Promise<void> {
  const { commandId } = await storyOf(state, step.command);
  const answer = await state.gateway.call<ProblemDocument>("DELETE", `/v1/commands/${commandId}`);
  if (step.refused !== undefined) return expectRefusal(answer, step.refused, "the cancellation");
  if (answer.status >= 300) throw unexpected("the cancellation", answer);
}

export async function reconcileAxis(state: RunState, step: Extract<Step, { do: "reconcile" }>): Promise<void> {
  const { id } = axisOf(state, step.axis);
  const { decision } = step;
  const answer = await state.gateway.call<ProblemDocument>("POST", `/v1/axes/${id}/reconcile`, { decision });
  if (step.refused !== undefined) return expectRefusal(answer, step.refused, "the reconciliation");
  if (answer.status >= 300) throw unexpected("the reconciliation", answer);
}

function expectRefusal(answer: Answer<unknown>, slugs: string, what: string): void {
  const slug =
    String((answer.body as { type?: unknown }).type ?? "")
      .split("/")
      .at(-1) ?? "";
  if (answer.status >= 400 && alternatives(slugs).includes(slug)) return;
  const { detail } = answer.body as Partial<ProblemDocument>;
  const words = `${slug || "without a problem"}${detail === undefined ? "" : ` (${detail})`}`;
  throw new StepError(`${what} was answered ${answer.status} ${words}, not refused as ${slugs}`, { body: answer.body });
}

function unexpected(what: string, { status, body }: Answer<unknown>): StepError {
  const { detail, remedy } = body as Partial<ProblemDocument>;
  return new StepError(
    `${what} was refused: ${status} ${detail ?? JSON.stringify(body)}${remedy ? ` (${remedy})` : ""}`,
    { body },
  );
}

/** Hands a fault to the simulator, word for word. */
export async function provoke(state: RunState, step: FaultStep): Promise<void> {
  const bench = axisOf(state, step.axis);
  const { do: _verb, axis: _role, at, ...fault } = step;
  await state.gateway.upset(at === "drive" ? "drives" : "links", at === "drive" ? bench.id : bench.link, fault);
}

/** Signals a service of the rig's own box. */
export async function signalProcess(state: RunState, step: Extract<Step, { do: "process" }>): Promise<void> {
  const pid = await lookUntil(
    state,
    async () => state.box.pid(step.service),
    (found) => (found === undefined ? [`no ${step.service} runs`] : []),
    PROCESS_LIMIT_MS,
  );
  process.kill(pid as number, step.signal as NodeJS.Signals);
}

/** Remembers where every axis of the scenario is and what its drive has heard so far. */
export async function setMark(state: RunState, name: string): Promise<void> {
  const marks = new Map<string, Mark>();
  for (const bench of axesOf(state)) {
    const axis = await state.gateway.axis(bench.id);
    const drive = state.gateway.control === null || bench.real ? undefined : await state.gateway.drive(bench.id);
    marks.set(bench.id, {
      seq: drive?.record.at(-1)?.seq ?? 0,
      shown: axis.measured.position ?? Number.NaN,
      place: drive?.plant.position,
    });
  }
  state.marks.set(name, marks);
}
