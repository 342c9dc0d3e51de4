import { readdirSync, readFileSync } from "node:fs";

/** One process of a box, as everybody can see it. */
export interface BoxProcess {
  readonly pid: number;
  readonly words: readonly string[];
}

/** Every process whose command line names something in the directory; nobody else's. */
export function processesIn(directory: string): BoxProcess[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => ({ pid: Number(entry), words: wordsOf(entry) }))
    .filter(({ words }) => words.some((word) => word.includes(directory)));
}

/** The process that runs a verb on the directory. */
export const processOf = (directory: string, verb: string): number | undefined =>
  processesIn(directory).find(({ words }) => words.includes(verb))?.pid;

function wordsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
