import { readFileSync } from "node:fs";
import type { RunningBox, ServiceName } from "../box/running-box.ts";
import { BenchError } from "./bench-error.ts";
import { parentOf } from "./process-cores.ts";

const SERVICES: readonly ServiceName[] = ["controller", "bridge", "gateway", "dashboard"];
const KIB_PER_MIB = 1024;

/** Memory of each service and the supervisor, MiB PSS: what is shared counts by parts, so that the sum is true. */
export function serviceMemory(running: RunningBox): Readonly<Record<string, number>> {
  const pids = SERVICES.map((name) => [name, running.pid(name)] as const);
  const supervisor = parentOf(String(running.pid("gateway")));
  return Object.fromEntries(
    [...pids, ["supervisor", supervisor] as const].map(([name, pid]) => [name, pssMiB(name, pid)]),
  );
}

function pssMiB(name: string, pid: number | undefined): number {
  if (pid === undefined) throw new BenchError("nothing-measured", { service: name }, "a service does not run");
  // smaps_rollup: proc(5), since Linux 4.14.
  const line = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"));
  return Number(line?.[1]) / KIB_PER_MIB;
}

/** All of them together, MiB. */
export const sumOf = (memory: Readonly<Record<string, number>>): number =>
  Object.values(memory).reduce((sum, mib) => sum + mib, 0);
