import {
  type AxisId,
  type AxisStatus,
  type Command,
  type CommandId,
  type DryRunStep,
  type DryRunView,
  type FleetConfig,
  MOTION_COMMANDS,
  type ProblemFacts,
  problemDocument,
} from "@servofleet/contracts";
import { type Axis, isDriving, scaleOf } from "../domain/axis-state.ts";
import { decide, isRefusal } from "../domain/decide.ts";
import { planMotion } from "../domain/motion-plan.ts";
import { unfit } from "./group-fitness.ts";
import { axesOf, type Leaf, planOf } from "./program-plan.ts";
import type { DefinedProgram } from "./program-shelf.ts";

/** What a dry run may look at: nothing of it touches a bus. */
export interface DrySight {
  readonly config: FleetConfig;
  readonly axis: (id: AxisId) => Axis;
  readonly reading: (id: AxisId) => AxisStatus | null;
  /** Why no command for the axis would be taken now; somebody's control over it. */
  readonly kept: (id: AxisId) => ProblemFacts | null;
}

interface Foreseen {
  readonly axis: Axis;
  readonly status: AxisStatus | null;
}

/** Goes through the program as a run would, each axis as the steps before would leave it, and tells everything that would keep it back. Pure. */
export function dryRun({ program, version }: DefinedProgram, sight: DrySight): DryRunView {
  const axes = axesOf(program, sight.config);
  const foreseen = new Map<string, Foreseen>(
    axes.map((id) => [id, { axis: sight.axis(id), status: sight.reading(id) }]),
  );
  const now = axes.flatMap((id) => {
    const seen = foreseen.get(id);
    const facts = sight.kept(id) ?? (seen ? unfit(seen.axis, seen.status, false) : null);
    return facts ? [{ axis: id as string, problem: problemDocument(facts, `/v1/axes/${id}`) }] : [];
  });
  const plan = planOf(program);
  const steps = plan.stages.map((branches) => branches.map((branch) => branch.map((leaf) => foresee(leaf, foreseen))));
  const estimateMs = steps.reduce((sum, branches) => sum + Math.max(...branches.map(timeOf)), 0);
  const all = steps.flat(2);
  return {
    program: program.name,
    version,
    ok: now.length === 0 && all.every(({ problem }) => problem === null),
    axes: now,
    steps: all,
    estimateMs,
    links: linksOf(plan.stages, sight.config),
  };
}

const timeOf = (branch: readonly DryRunStep[]): number =>
  branch.reduce((sum, { estimateMs }) => sum + (estimateMs ?? 0), 0);

function foresee(leaf: Leaf, foreseen: Map<string, Foreseen>): DryRunStep {
  const { step, spec } = leaf;
  const base = { step, kind: spec.kind, axis: null, command: null, compensation: leaf.compensation.kind };
  if (spec.kind === "dwell") return { ...base, estimateMs: spec.ms, deadlineMs: spec.ms, problem: null };
  if (spec.kind !== "command") return { ...base, estimateMs: null, deadlineMs: spec.deadlineMs, problem: null };
  const seen = foreseen.get(spec.axis);
  const of = { ...base, axis: spec.axis, command: spec.command.type, deadlineMs: spec.deadlineMs };
  if (!seen) return { ...of, estimateMs: null, problem: null };
  const command = wouldBe(spec.axis, spec.command);
  const travelMs = travelTime(command, seen);
  const outcome = decide(command, seen.axis, seen.status);
  const facts = isRefusal(outcome) ? outcome.problem : (tooLate(leaf, travelMs) ?? wayBack(leaf, seen));
  foreseen.set(spec.axis, afterwards(command, seen));
  return { ...of, estimateMs: travelMs, problem: facts && problemDocument(facts, `/steps/${step}`) };
}

const wouldBe = (axis: string, request: Command["request"]): Command => ({
  commandId: "00000000-0000-5000-8000-000000000000" as CommandId,
  axis: axis as AxisId,
  request,
  principal: "dry-run",
  fingerprint: "",
  receivedAtMs: 0,
  ttlMs: request.ttlMs ?? 1000,
});

/** Time of a trapezoid from rest to rest, ms; null where the drive alone knows. */
function travelTime({ request }: Command, { axis, status }: Foreseen): number | null {
  const plan = planMotion(request, axis, status);
  if ("slug" in plan || !plan.velocity || !plan.acceleration || !plan.deceleration) return null;
  const from = status?.positionCounts;
  if (plan.targetCounts === null || from == null) return null;
  const way = Math.abs(plan.targetCounts - from) / Math.abs(scaleOf(axis).countsPerUnit);
  const [v, a, d] = [plan.velocity, plan.acceleration, plan.deceleration];
  const ramps = (v * v) / (2 * a) + (v * v) / (2 * d);
  const seconds = way >= ramps ? v / a + v / d + (way - ramps) / v : Math.sqrt(2 * way * (1 / a + 1 / d));
  return Math.round(seconds * 1000);
}

function tooLate({ step, spec }: Leaf, travelMs: number | null): ProblemFacts | null {
  if (spec.kind !== "command" || travelMs === null || travelMs <= spec.deadlineMs) return null;
  return {
    slug: "deadline-passed",
    detail: `step ${step} needs about ${travelMs} ms, its deadline is ${spec.deadlineMs} ms`,
    remedy: "give it more time, or a higher velocity",
  };
}

/** The way back has to be within the limits before the way there is gone. */
function wayBack({ spec, compensation }: Leaf, { axis, status }: Foreseen): ProblemFacts | null {
  if (spec.kind !== "command" || compensation.kind !== "return-to") return null;
  const { position, velocity } = compensation;
  const request = { type: "MoveAbsolute", position, ...(velocity === undefined ? {} : { velocity }) } as const;
  const plan = planMotion(request, axis, status);
  return "slug" in plan ? { ...plan, detail: `its compensation: ${plan.detail}`.slice(0, 500) } : null;
}

/** The axis as the step would leave it. */
function afterwards(command: Command, { axis, status }: Foreseen): Foreseen {
  const { type } = command.request;
  const plan = planMotion(command.request, axis, status);
  const target = "slug" in plan ? null : plan.targetCounts;
  const power = type === "Enable" ? { enabled: true } : type === "Disable" ? { enabled: false } : {};
  const homed = type === "Home" ? { homed: true } : {};
  const held = isDriving(type) ? { heldCounts: target } : {};
  const positionCounts = target ?? status?.positionCounts ?? null;
  return {
    axis: { ...axis, ...power, ...homed, ...held },
    status: status && { ...status, ...power, ...homed, positionCounts },
  };
}

/** How many axes of a link would move at once, and the polls that asks for. What the line bears only the bridge knows. */
function linksOf(stages: readonly (readonly (readonly Leaf[])[])[], config: FleetConfig): DryRunView["links"] {
  return config.links.flatMap(({ id }) => {
    const own = config.axes.filter(({ link }) => link === id);
    const moving = stages.map((branches) =>
      own.filter((axis) =>
        branches
          .flat()
          .some(
            ({ spec }) => spec.kind === "command" && spec.axis === axis.id && MOTION_COMMANDS.has(spec.command.type),
          ),
      ),
    );
    const most = moving.reduce((a, b) => (b.length > a.length ? b : a), []);
    if (most.length === 0) return [];
    const pollsPerS = own.reduce(
      (sum, axis) => sum + 1000 / (most.includes(axis) ? axis.poll.movingMs : axis.poll.idleMs),
      0,
    );
    return [{ link: id as string, axesAtOnce: most.length, pollsPerS: Math.round(pollsPerS * 10) / 10 }];
  });
}
