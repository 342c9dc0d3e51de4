import { type AxisCondition, type FleetConfig, PROGRAM_STEPS_MAX, type Program } from "@servofleet/contracts";
import { isDriving } from "../domain/axis-state.ts";
import { axesOf, type Leaf, type Plan, planOf } from "./program-plan.ts";

/** One thing that is wrong, in the form of a problem's `errors`. */
export interface ProgramFlaw {
  readonly pointer: string;
  readonly detail: string;
}

/** Everything in a program of the right shape that could never work, all at once. Limits are the dry run's. Pure. */
export function programFlaws(program: Program, config: FleetConfig): readonly ProgramFlaw[] {
  const plan = planOf(program);
  return [
    ...nameFlaws(plan),
    ...axisFlaws(plan, config),
    ...branchFlaws(plan),
    ...barrierFlaws(plan),
    ...runawayFlaws(plan),
    ...triggerFlaws(program, config),
  ];
}

const all = (plan: Plan): readonly Leaf[] => plan.stages.flat(2);

function nameFlaws(plan: Plan): ProgramFlaw[] {
  const leaves = all(plan);
  const seen = new Set<string>();
  const flaws = leaves.flatMap(({ step, pointer }) => {
    const twice = seen.has(step);
    seen.add(step);
    return twice ? [{ pointer: `${pointer}/id`, detail: `another step is named ${step}` }] : [];
  });
  if (leaves.length <= PROGRAM_STEPS_MAX) return flaws;
  return [...flaws, { pointer: "/steps", detail: `${leaves.length} steps, at most ${PROGRAM_STEPS_MAX} in all` }];
}

function axisFlaws({ program, ...plan }: Plan, config: FleetConfig): ProgramFlaw[] {
  const known = config.axes.map(({ id }): string => id);
  const unknown = (pointer: string, axis: string): ProgramFlaw[] =>
    known.includes(axis) ? [] : [{ pointer, detail: `no axis ${axis}; there are ${known.slice(0, 20).join(", ")}` }];
  const group = program.group === undefined || config.groups.some(({ id }) => id === program.group);
  const taking = new Set<string>(axesOf(program, config));
  return [
    ...(program.axes ?? []).flatMap((axis, n) => unknown(`/axes/${n}`, axis)),
    ...(group ? [] : [{ pointer: "/group", detail: `no group ${program.group}` }]),
    ...(taking.size > 0 ? [] : [{ pointer: "/axes", detail: "names no axis, and no step commands one" }]),
    ...plan.stages.flat(2).flatMap(({ spec, pointer }) => {
      if (spec.kind === "wait") return conditionFlaws(spec.until, `${pointer}/until`, known);
      if (spec.kind !== "command") return [];
      if (taking.has(spec.axis)) return unknown(`${pointer}/axis`, spec.axis);
      return [{ pointer: `${pointer}/axis`, detail: `axis ${spec.axis} is not among the program's axes` }];
    }),
  ];
}

function conditionFlaws(condition: AxisCondition, pointer: string, known: readonly string[]): ProgramFlaw[] {
  const { axis, ...asked } = condition;
  if (!known.includes(axis)) return [{ pointer: `${pointer}/axis`, detail: `no axis ${axis}` }];
  return Object.keys(asked).length > 0
    ? []
    : [{ pointer, detail: "asks nothing: name a state, homed, positionAtLeast or positionAtMost" }];
}

/** Two branches side by side must not command one axis: which of them came last would be chance. */
function branchFlaws(plan: Plan): ProgramFlaw[] {
  return plan.stages.flatMap((branches) => {
    const owners = new Map<string, number>();
    return branches.flat().flatMap(({ spec, branch, pointer }) => {
      if (spec.kind !== "command") return [];
      const owner = owners.get(spec.axis) ?? branch;
      owners.set(spec.axis, owner);
      return owner === branch
        ? []
        : [{ pointer: `${pointer}/axis`, detail: `branch ${owner} commands axis ${spec.axis} at the same time` }];
    });
  });
}

function barrierFlaws(plan: Plan): ProgramFlaw[] {
  return plan.stages.flatMap((branches, stage) => {
    const met = branches.map((branch) => branch.flatMap(({ spec }) => (spec.kind === "barrier" ? [spec.name] : [])));
    const pointer = `/steps/${stage}`;
    const names = new Set(met.flat());
    const lonely = [...names].filter((name) => met.filter((own) => own.includes(name)).length < 2);
    const twice = [...names].filter((name) => met.some((own) => own.indexOf(name) !== own.lastIndexOf(name)));
    const flaws = [
      ...lonely.map((name) => ({ pointer, detail: `nobody else meets at barrier ${name}` })),
      ...twice.map((name) => ({ pointer, detail: `one branch comes twice to barrier ${name}` })),
    ];
    if (flaws.length > 0 || canBePassed(met)) return flaws;
    return [{ pointer, detail: "the branches meet their barriers in different orders: they would wait for ever" }];
  });
}

/** Lets every branch go on as far as it can; pure because barriers are the only thing that holds one up here. */
function canBePassed(branches: readonly (readonly string[])[]): boolean {
  const left = branches.map((names) => [...names]);
  for (;;) {
    const open = left.map((names) => names[0]);
    const next = open.find((name) => name && left.every((names, n) => !names.includes(name) || open[n] === name));
    if (next === undefined) return left.every((names) => names.length === 0);
    for (const names of left) if (names[0] === next) names.shift();
  }
}

/** A run leaves nothing running: what it sets going without an end, it brings to rest. */
function runawayFlaws(plan: Plan): ProgramFlaw[] {
  const leaves = all(plan);
  return leaves.flatMap(({ spec, stage, branch, pointer }, n) => {
    if (spec.kind !== "command" || spec.command.type !== "MoveVelocity") return [];
    const ended = leaves
      .slice(n + 1)
      .some(
        (later) =>
          later.spec.kind === "command" &&
          later.spec.axis === spec.axis &&
          isDriving(later.spec.command.type) &&
          (later.stage > stage || later.branch === branch),
      );
    return ended ? [] : [{ pointer, detail: `nothing ends this MoveVelocity: add a Halt of axis ${spec.axis}` }];
  });
}

function triggerFlaws({ name, triggers }: Program, config: FleetConfig): ProgramFlaw[] {
  const known = config.axes.map(({ id }): string => id);
  return triggers.flatMap((trigger, n) => {
    const pointer = `/triggers/${n}`;
    const twice = triggers.findIndex(({ id }) => id === trigger.id) < n;
    const itself = trigger.event === "RunEnded" && trigger.program === name;
    const axis = trigger.event === "RunEnded" || known.includes(trigger.axis);
    return [
      ...(twice ? [{ pointer: `${pointer}/id`, detail: `another trigger is named ${trigger.id}` }] : []),
      ...(itself ? [{ pointer: `${pointer}/program`, detail: "a program must not start itself for ever" }] : []),
      ...(axis ? [] : [{ pointer: `${pointer}/axis`, detail: "no such axis" }]),
      ...(trigger.when ?? []).flatMap((when, w) => conditionFlaws(when, `${pointer}/when/${w}`, known)),
    ];
  });
}
