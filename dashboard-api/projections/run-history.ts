import { RUN_OUTCOMES, type RunState, streamSubject, type TypedEvent } from "@servofleet/contracts";
import { NO_CHANGE, type Projection } from "../read-model/projection.ts";
import type { RunRow, RunStepRow } from "./run-row.ts";

/** Ended runs kept in memory; older ones are read from the projection's file. */
const RUNS_IN_MEMORY_MAX = 1000;

const OUTCOMES: ReadonlySet<RunState> = new Set(RUN_OUTCOMES);

type Told<T extends TypedEvent["type"]> = Extract<TypedEvent, { type: T }>;

const firstRow = ({ data, wallUs, position }: Told<"RunStarted">): RunRow => ({
  runId: data.runId,
  program: data.program.name,
  version: data.version,
  state: "running",
  axes: [...data.axes],
  principal: data.principal,
  trigger: data.trigger,
  startedUs: wallUs,
  endedUs: null,
  reason: null,
  problem: null,
  steps: [],
  transitions: [{ state: "running", us: wallUs, position }],
  firstPosition: position,
});

/** The state that an event leads to; null where it stays. */
function stateAfter(event: TypedEvent): RunState | null {
  switch (event.type) {
    case "RunPaused":
      return "paused";
    case "RunResumed":
      return "running";
    case "RunHalting":
      return "halting";
    case "RunCompensationOffered":
      return "offering";
    case "RunCompensating":
    case "RunCompensationStarted":
    case "RunCompensationEnded":
      return "compensating";
    case "RunEnded":
      return event.data.outcome;
    default:
      return null;
  }
}

function moved(row: RunRow, event: TypedEvent): RunRow {
  const state = stateAfter(event);
  if (state === null || state === row.state) return row;
  const transitions = [...row.transitions, { state, us: event.wallUs, position: event.position }];
  return { ...row, state, transitions };
}

const changed = (row: RunRow, step: string, change: (of: RunStepRow) => RunStepRow): RunRow => ({
  ...row,
  steps: row.steps.map((of) => (of.step === step ? change(of) : of)),
});

function begun(row: RunRow, { data, wallUs }: Told<"RunStepStarted">): RunRow {
  const step: RunStepRow = {
    step: data.step,
    kind: data.kind as RunStepRow["kind"],
    state: "running",
    axis: data.command?.axis ?? null,
    commandId: data.command?.commandId ?? null,
    startedUs: wallUs,
    endedUs: null,
    problem: null,
    undo: { kind: data.compensation, state: "planned", commandId: null, detail: null },
  };
  return { ...row, steps: [...row.steps, step] };
}

const undone = (row: RunRow, step: string, undo: Partial<RunStepRow["undo"]>): RunRow =>
  changed(row, step, (of) => ({ ...of, undo: { ...of.undo, ...undo } }));

/** What else the event tells about its run. */
function told(row: RunRow, event: TypedEvent): RunRow {
  switch (event.type) {
    case "RunStepStarted":
      return begun(row, event);
    case "RunStepEnded": {
      const { step, outcome, problem } = event.data;
      const state = outcome as RunStepRow["state"];
      return changed(row, step, (of) => ({ ...of, state, problem, endedUs: event.wallUs }));
    }
    case "RunHalting":
      return { ...row, problem: event.data.problem };
    case "RunCompensationOffered":
      return undone(row, event.data.step, { state: "offered" });
    case "RunCompensationStarted":
      return undone(row, event.data.step, { state: "running", commandId: event.data.command?.commandId ?? null });
    case "RunCompensationEnded":
      return undone(row, event.data.step, {
        state: event.data.outcome as RunStepRow["undo"]["state"],
        detail: event.data.detail,
      });
    case "RunEnded":
      return { ...row, endedUs: event.wallUs, reason: event.data.reason, problem: event.data.problem };
    default:
      return row;
  }
}

/** Every run with its steps, their commands and what undid them, behind `GET /v1/runs`. */
export const runHistory: Projection<RunRow> = {
  name: "runs",
  version: 1,
  residentMax: RUNS_IN_MEMORY_MAX,
  rank: (row) => row.firstPosition,
  settled: (row) => OUTCOMES.has(row.state),
  refersTo: (event) =>
    event.stream.startsWith("run-") && event.type !== "RunStarted" ? streamSubject(event.stream) : null,
  project(rows, event) {
    if (!event.stream.startsWith("run-")) return NO_CHANGE;
    if (event.type === "RunStarted") return [[event.data.runId, firstRow(event)]];
    const row = rows.get(streamSubject(event.stream));
    if (row === undefined) return NO_CHANGE;
    const next = told(moved(row, event), event);
    return next === row ? NO_CHANGE : [[row.runId, next]];
  },
};
