import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Binds a process with all its threads to the cores; false where `taskset` is missing or refuses. */
export const pinned = (pid: number, cores: string): Promise<boolean> =>
  new Promise((resolve) => {
    execFile("taskset", ["-a", "-p", "-c", cores, String(pid)], (error) => resolve(error === null));
  });

/** Where masters run while a paced line has a core of its own: with one core they share it. */
export const MASTER_CORE = "0";
export const LINE_CORE = String(Math.min(1, cpus().length - 1));

/** Every core of this machine, as `taskset` wants them. */
export const allCores = (): string => `0-${cpus().length - 1}`;

/** The process and everything it started. */
export function processTree(pid: number): number[] {
  const children = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && parentOf(entry) === pid);
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

/** Its command line; empty when it is gone. */
export function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** The process that started it. */
export function parentOf(pid: string): number | undefined {
  try {
    // The name in brackets may hold spaces and brackets itself: what follows the last one is fixed (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
