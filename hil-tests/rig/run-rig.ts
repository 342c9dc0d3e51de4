import type { AxisView } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { until } from "../box/until.ts";
import { type BenchAxis, benchAxes } from "./abilities.ts";
import { withCurves } from "./collect-curves.ts";
import { GatewayClient } from "./gateway-client.ts";
import { LatenessCanary } from "./lateness-canary.ts";
import { type RigBox, startRigBox } from "./rig-box.ts";
import { RigError } from "./rig-error.ts";
import { rigReport } from "./rig-facts.ts";
import type { Rig } from "./rig-file.ts";
import { lanesOf } from "./rig-lanes.ts";
import { type PlannedRun, planRig } from "./rig-plan.ts";
import type { RigReport, ScenarioResult } from "./rig-result.ts";
import { runScenario } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";

const ANSWER_LIMIT_MS = 40_000;

/** What a run tells while it runs. */
export interface RigProgress {
  /** All that is planned, before anything starts. */
  planned(runs: readonly PlannedRun[]): void;
  started(run: PlannedRun): void;
  ended(result: ScenarioResult): void;
  /** A word on what takes its time now. */
  phase(words: string): void;
}

export interface RigParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly progress: RigProgress;
  /** Ctrl-C: the running step ends, the axes are stopped, the report is written. */
  readonly signal: AbortSignal;
}

/**
 * Runs the scenarios on the rig: plan, devices, box, axes, then scenario by scenario.
 * @throws RigError before anything has moved
 */
export async function runRig(rig: Rig, scenarios: readonly Scenario[], parts: RigParts): Promise<RigReport> {
  const axes = benchAxes(rig);
  const plan = planRig(rig, axes, scenarios);
  parts.progress.planned(plan);
  const fromUs = parts.clock.wallUs();
  const notRun = plan.filter(({ verdict }) => verdict !== "run").map((run) => notRunResult(run));
  const toRun = plan.filter(({ verdict }) => verdict === "run");
  for (const result of notRun) parts.progress.ended(result);
  if (toRun.length === 0)
    return rigReport(rig, { url: "-", control: null }, notRun, fromUs, parts.clock.wallUs(), parts.signal.aborted);
  const canary = new LatenessCanary(parts.clock);
  parts.progress.phase("starting the rig");
  const box = await startRigBox(rig, parts.clock);
  try {
    const gateway = new GatewayClient(box.url, box.control);
    await axesAnswer(gateway, rig, axes);
    const ran = await runAll(toRun, { rig, box, gateway, parts });
    parts.progress.phase("reading the curves");
    const results = inOrder(plan, [...notRun, ...(await withCurves(gateway, parts.clock, ran))]);
    const report = rigReport(rig, box, results, fromUs, parts.clock.wallUs(), parts.signal.aborted);
    return { ...report, machine: { ...report.machine, "timers late by, ms": Math.ceil(canary.worstMs) } };
  } finally {
    canary.stop();
    parts.progress.phase("stopping the axes");
    await box.stop();
  }
}

/** Every axis of the rig is known to the gateway as the file says, and its drive answers. Nothing is written for it. */
async function axesAnswer(gateway: GatewayClient, rig: Rig, benches: readonly BenchAxis[]): Promise<void> {
  const strange = (axes: readonly AxisView[]) => benches.flatMap((bench) => strangeness(bench, axes));
  const silent = (axes: readonly AxisView[]) =>
    benches.filter(({ id }) => axes.find((axis) => axis.id === id)?.state === "offline");
  let axes: readonly AxisView[] = [];
  const look = async () => {
    axes = await gateway.axes();
    return { axes, recovered: rig.gateway !== null || (await gateway.recoveries()).length > 0 };
  };
  const answering = (seen: { recovered: boolean }) => seen.recovered && axes.length > 0 && silent(axes).length === 0;
  const answered = await until("every axis answers", look, answering, ANSWER_LIMIT_MS).then(
    () => true,
    () => false,
  );
  const other = strange(axes);
  if (axes.length > 0 && other.length > 0)
    throw new RigError(
      "other-fleet",
      `the gateway at ${gateway.url} has another fleet:\n  ${other.join("\n  ")}`,
      { other },
      "correct the rig file; nothing moved",
    );
  if (answered) return;
  const missing = silent(axes).map(
    ({ id, link, profile }) => `${id}: its drive (${profile} on ${link}) does not answer`,
  );
  throw new RigError(
    "missing-device",
    `the rig is not complete:\n  ${missing.join("\n  ") || `the gateway at ${gateway.url} is not ready`}`,
    { missing },
    "check power, wiring, unit number and line settings (`servofleet scan`); nothing moved",
  );
}

function strangeness(bench: BenchAxis, axes: readonly AxisView[]): readonly string[] {
  const axis = axes.find(({ id }) => id === bench.id);
  if (!axis) return [`${bench.id}: the gateway has no such axis (it has ${axes.map(({ id }) => id).join(", ")})`];
  if (axis.link !== bench.link) return [`${bench.id}: is on ${axis.link}, not on ${bench.link}`];
  const profile = (name: string) => name.split("/").at(-1);
  return profile(axis.profile) === profile(bench.profile)
    ? []
    : [`${bench.id}: has the profile ${axis.profile}, not ${bench.profile}`];
}

interface Running {
  readonly rig: Rig;
  readonly box: RigBox;
  readonly gateway: GatewayClient;
  readonly parts: RigParts;
}

async function runAll(runs: readonly PlannedRun[], running: Running): Promise<readonly ScenarioResult[]> {
  const { lanes, alone } = lanesOf(runs);
  const results: ScenarioResult[] = [];
  const inTurn = async (lane: readonly PlannedRun[]) => {
    for (const run of lane) if (!running.parts.signal.aborted) results.push(await runOne(run, running));
  };
  await Promise.all(lanes.map(inTurn));
  await inTurn(alone);
  return results;
}

async function runOne(plan: PlannedRun, { rig, box, gateway, parts }: Running): Promise<ScenarioResult> {
  const { clock, random, progress, signal } = parts;
  progress.started(plan);
  const result = await runScenario({
    plan,
    gateway,
    box,
    clock,
    signal,
    permit: rig.permit,
    named: new Map(),
    commands: [],
    marks: new Map(),
    salt: Buffer.from(random.bytes(6)).toString("hex"),
  });
  progress.ended(result);
  return result;
}

function notRunResult({ scenario, profile, axes, verdict, reason }: PlannedRun): ScenarioResult {
  const used = Object.values(axes);
  return {
    scenario: scenario.name,
    title: scenario.title,
    why: scenario.why,
    profile,
    axes: used.map(({ id }) => id),
    drives: used.some(({ real }) => real) ? "real" : "simulated",
    outcome: verdict === "refused" ? "refused" : "skipped",
    reason,
    fromUs: 0,
    toUs: 0,
    steps: [],
    commands: [],
    curves: [],
  };
}

/** As planned, not as they ended; what an interrupted run never came to is left out. */
function inOrder(plan: readonly PlannedRun[], results: readonly ScenarioResult[]): readonly ScenarioResult[] {
  return plan.flatMap(
    (run) => results.find(({ scenario, profile }) => scenario === run.scenario.name && profile === run.profile) ?? [],
  );
}
