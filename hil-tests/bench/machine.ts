import { cpus, loadavg, release, totalmem } from "node:os";

/** Where the figures come from; the load says how much else went on. */
export const machineFacts = (): object => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  memoryMiB: Math.round(totalmem() / 2 ** 20),
  node: process.versions.node,
  kernel: release(),
  load1: Math.round((loadavg()[0] ?? 0) * 100) / 100,
});
