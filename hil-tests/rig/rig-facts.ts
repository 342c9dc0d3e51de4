import { readFileSync } from "node:fs";
import { cpus, hostname, release, totalmem } from "node:os";
import type { Rig } from "./rig-file.ts";
import type { RigReport, ScenarioResult } from "./rig-result.ts";

/** Puts the results beside what they were measured on. */
export function rigReport(
  rig: Rig,
  box: { readonly url: string; readonly control: string | null },
  results: readonly ScenarioResult[],
  fromUs: number,
  toUs: number,
  interrupted: boolean,
): RigReport {
  return {
    rig: rig.id,
    title: rig.title,
    gateway: rig.gateway ? box.url : "started by the rig",
    fromUs,
    toUs,
    permit: rig.permit,
    machine: {
      host: hostname(),
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      "memory, MiB": Math.round(totalmem() / 2 ** 20),
      kernel: release(),
    },
    versions: { servofleet: productVersion(), node: process.versions.node },
    links: rig.fleet.links.map((link, n) => ({
      id: link.id,
      kind: link.kind,
      drives: rig.links[n]?.drives ?? "real",
      place:
        rig.links[n]?.drives === "simulated" ? "simulated" : "host" in link ? `${link.host}:${link.port}` : link.port,
    })),
    axes: rig.fleet.axes.map(({ id, link, unit, profile }) => ({ id, link, unit, profile })),
    results,
    interrupted,
  };
}

const productVersion = (): string =>
  (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }).version;
