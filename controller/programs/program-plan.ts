import type { AxisId, Compensation, FleetConfig, LeafStep, Program } from "@servofleet/contracts";
import { COMPENSATION_DEADLINE_DEFAULT_MS } from "@servofleet/contracts";
import { isDriving } from "../domain/axis-state.ts";

/** One step that does something, with its place: stages follow each other, branches of a stage run side by side. */
export interface Leaf {
  readonly step: string;
  readonly spec: LeafStep;
  readonly stage: number;
  readonly branch: number;
  readonly compensation: Compensation;
  /** Where it stands in the document (JSON Pointer). */
  readonly pointer: string;
}

/** A program as a run walks it. */
export interface Plan {
  readonly program: Program;
  readonly stages: readonly (readonly (readonly Leaf[])[])[];
  readonly leaves: ReadonlyMap<string, Leaf>;
}

const NO_COMPENSATION: Compensation = { kind: "none" };
/** Where a document is silent: what drove an axis is held, never driven back. */
const HOLD: Compensation = { kind: "hold", deadlineMs: COMPENSATION_DEADLINE_DEFAULT_MS };

function compensationOf(spec: LeafStep): Compensation {
  if (spec.kind !== "command") return NO_COMPENSATION;
  return spec.compensation ?? (isDriving(spec.command.type) ? HOLD : NO_COMPENSATION);
}

/** Names every step and puts it in its place. Pure; of two steps with one name the later is in `leaves`. */
export function planOf(program: Program): Plan {
  const stages = program.steps.map((step, stage) => {
    const parallel = step.kind === "parallel";
    const branches = parallel ? step.branches : [[step]];
    return branches.map((branch, b) =>
      branch.map((spec, n): Leaf => {
        const place = parallel ? `s${stage + 1}_b${b + 1}_${n + 1}` : `s${stage + 1}`;
        const pointer = parallel ? `/steps/${stage}/branches/${b}/${n}` : `/steps/${stage}`;
        return { step: spec.id ?? place, spec, stage, branch: b, compensation: compensationOf(spec), pointer };
      }),
    );
  });
  const leaves = new Map(stages.flat(2).map((leaf) => [leaf.step, leaf]));
  return { program, stages, leaves };
}

/** Those that take part: the axes and the group that the program names, else the axes it commands. */
export function axesOf(program: Program, config: FleetConfig): readonly AxisId[] {
  const group = config.groups.find(({ id }) => id === program.group)?.axes ?? [];
  const named = [...(program.axes ?? []), ...group];
  const commanded = [...planOf(program).leaves.values()].flatMap(({ spec }) =>
    spec.kind === "command" ? [spec.axis] : [],
  );
  return [...new Set(named.length > 0 ? named : commanded)] as AxisId[];
}
