import type { Clock, Random } from "@servofleet/runtime/clock";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { ControlServer } from "./control-server.ts";
import { readLinksFile, type SimConfig } from "./links-file.ts";
import { SimError } from "./sim-error.ts";
import { openLink, type SimLink } from "./sim-link.ts";

// Moving drives are stepped in small bites between requests, so that no late request pays for a long journey at once.
const CATCH_UP_MS = 50;

/** A running simulation. */
export interface RunningSim {
  /** What the ready line says: every link with its path or port, and the control address. */
  readonly ready: { links: readonly object[]; control: string };
  readonly links: readonly SimLink[];
  /** Unplugs everything: links vanish, ports close. */
  close(): Promise<void>;
}

/** Opens all lines and ports of the configuration. Throws SimError; then nothing stays open. */
export async function runSim(config: SimConfig, clock: Clock, random: Random): Promise<RunningSim> {
  const links: SimLink[] = [];
  const server = new ControlServer(links, clock, random);
  const unplugAll = () => Promise.all(links.map((link) => link.unplug()));
  try {
    for (const link of config.links) links.push(await openLink(link, clock));
    const control = await server.open(config.control.port);
    const stepping = clock.every(CATCH_UP_MS, () => {
      const nowNs = clock.monotonicNs();
      for (const link of links) for (const port of link.ports) port.drive.advance(nowNs);
    });
    const close = async () => {
      stepping.cancel();
      await unplugAll();
      await server.close();
    };
    return { ready: { links: links.map(describe), control }, links, close };
  } catch (error) {
    await unplugAll();
    throw error;
  }
}

/**
 * `servofleet sim LINKS.yaml`: prints one JSON line when ready, ends with 0 on SIGTERM or Ctrl-C.
 * With SERVOFLEET_CHILD=1 Ctrl-C is left to the parent, which stops axes before simulators, and a closed
 * parent channel counts as SIGTERM. Exit code 2 for a wrong file, 1 for anything that could not be opened.
 */
export async function runSimProcess(linksFile: string): Promise<void> {
  const sim = await start(linksFile);
  if (!sim) return;
  const end = async () => {
    await sim.close();
    process.exit(0);
  };
  const isChild = process.env["SERVOFLEET_CHILD"] === "1";
  process.once("SIGTERM", () => void end());
  process.on("SIGINT", () => {
    if (!isChild) void end();
  });
  process.once("disconnect", () => void end());
  process.stdout.write(`${JSON.stringify(sim.ready)}\n`);
}

async function start(linksFile: string): Promise<RunningSim | undefined> {
  try {
    return await runSim(readLinksFile(linksFile), systemClock(), systemRandom());
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.code === "bad-links-file" ? 2 : 1;
    return undefined;
  }
}

function describe(link: SimLink): object {
  const drives = link.ports.map(({ drive }) => ({ id: drive.id, unit: drive.unit, model: drive.model }));
  return { id: link.id, kind: link.kind, ...link.address(), drives };
}
