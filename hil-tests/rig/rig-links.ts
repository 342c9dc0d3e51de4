import { join } from "node:path";
import type { Rig } from "./rig-file.ts";

/** LINKS.yaml of the rig's simulated links: lines as ptys in `directory`, TCP drives on free ports. */
export function linksDocument(rig: Rig, directory: string): { control: { port: number }; links: readonly object[] } {
  const links = rig.fleet.links.flatMap((link, n) => {
    const said = rig.links[n];
    if (said?.drives !== "simulated") return [];
    const drives = rig.fleet.axes.flatMap(({ id, unit, profile, link: on }, at) =>
      on === link.id ? [{ id, unit, model: profile, ...rig.axes[at]?.sim }] : [],
    );
    const place = "host" in link ? { host: "127.0.0.1", port: 0 } : { path: join(directory, link.id) };
    // The baud rate sets how fast simulated Modbus drives answer; servos on a bus have a return delay of their own.
    const baud = "baud" in link && link.kind.startsWith("modbus") ? { baud: link.baud } : {};
    return [{ id: link.id, kind: link.kind, ...place, ...baud, ...said.sim, drives }];
  });
  return { control: { port: 0 }, links };
}
