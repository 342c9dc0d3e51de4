import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DiskFaults } from "./disk-faults.ts";
import { recorderEnvironment } from "./disk-recorder.ts";
import { type DiskEvent, parseDiskTrace } from "./disk-trace.ts";
import { type LogLife, type Weakness, WORKLOADS } from "./log-life-plan.ts";
import { cutRecorded, type PowerCutOutcome } from "./power-cut-trial.ts";
import { runLife } from "./record-lives.ts";

/** Which syncs fail. */
export interface FailedSyncPlan {
  /** One life for each: its n-th sync fails, once. */
  readonly syncs: readonly number[];
  readonly weakness: Weakness;
  /** Power cuts afterwards, over all lives. */
  readonly images: number;
  readonly seed: number;
  readonly scratch: string;
}

/** What became of it. */
export interface FailedSyncOutcome extends PowerCutOutcome {
  readonly lives: number;
  /** Lives in which the fault fell. */
  readonly faults: number;
  /** Acknowledged in a life after its sync had failed: must be 0. */
  readonly ackedAfter: number;
}

/**
 * Lets the n-th sync of a life fail once, which SQLite forgets with the next commit, then lets a sound life go on with what
 * is left, and cuts the power at random moments of all of it: what a failed sync covered is gone then.
 */
export async function failedSyncTrial(plan: FailedSyncPlan): Promise<FailedSyncOutcome> {
  let events: readonly DiskEvent[] = [];
  const { weakness, images, seed, scratch } = plan;
  const cut = await cutRecorded({ workload: "failed-sync", weakness, images, seed, scratch }, async (root) => {
    events = await recordFailures(root, plan);
    return events;
  });
  const faults = events.filter(({ does, ...rest }) => does.startsWith("sync") && "ok" in rest && !rest.ok).length;
  return { ...cut, lives: plan.syncs.length, faults, ackedAfter: ackedAfterFailure(events) };
}

async function recordFailures(root: string, { syncs, weakness }: FailedSyncPlan): Promise<DiskEvent[]> {
  const directory = join(root, "disk");
  const traceFile = join(root, "trace");
  await mkdir(directory);
  const faults = new DiskFaults(join(root, "faults"));
  const env = await recorderEnvironment({ directory, traceFile, faultsFile: faults.file });
  const life: LogLife = { ...WORKLOADS.young[0], calls: 60, inFlight: 4, directory, weakness };
  try {
    await runLife(life, env);
    for (const sync of syncs) {
      faults.failSync(sync - 1);
      await runLife(life, env);
      faults.heal();
      // Killed, as its WAL must hold by itself what it inherited.
      await runLife({ ...life, calls: 6, end: "kill" }, env);
    }
    return parseDiskTrace(await readFile(traceFile));
  } finally {
    faults.close();
  }
}

/** In the order of the record: what a life said after one of its syncs had failed. */
function ackedAfterFailure(events: readonly DiskEvent[]): number {
  let failed = false;
  let acked = 0;
  for (const event of events) {
    if (event.does === "start") failed = false;
    if (event.does === "sync" && !event.ok) failed = true;
    if (failed && event.does === "say" && event.line.startsWith("ack ")) acked += 1;
  }
  return acked;
}
