import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AxisId, CommandId, FleetConfig, LinkStats, OrderAction, Report } from "@servofleet/contracts";
import { axisConfig, ended, silentLog } from "@servofleet/firmware-bridge/axis/testing/test-axis";
import { startBridge } from "@servofleet/firmware-bridge/bridge/bridge";
import { createLink } from "@servofleet/firmware-bridge/link/create-link";
import type { Link } from "@servofleet/firmware-bridge/link/link";
import { until } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { memoryBusPair } from "@servofleet/runtime/memory-bus";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { openLink } from "../sim-link.ts";

const clock = systemClock();
const BAUD = 1_000_000;
/** A busy test host must not look like a silent servo. */
const STOP_WAIT_MS = 200;

/** Several simulated servos on one real pty, and a whole bridge on the other end. */
export async function servosOnBus(bus: "dynamixel" | "feetech", units: readonly number[], movingMs = 20) {
  const directory = mkdtempSync(join(tmpdir(), "servos-on-bus-"));
  const path = join(directory, "line");
  const model = bus === "dynamixel" ? ("dynamixel-x" as const) : ("feetech-sts3215" as const);
  const drives = units.map((unit) => ({ id: `s${unit}`, unit, model }));
  const sim = await openLink({ id: "line_a", kind: bus, path, replyMs: 0.2, drives }, clock);
  const line = { id: "line_a" as Link["id"], kind: bus, port: path, baud: BAUD, stopWaitMaxMs: STOP_WAIT_MS };
  const config: FleetConfig = {
    box: "box_1" as FleetConfig["box"],
    data: directory,
    http: { host: "127.0.0.1", port: 0 },
    messaging: "embedded",
    links: [line],
    axes: units.map((unit) => ({ ...axisConfig(`s${unit}`, unit, model), poll: { movingMs, idleMs: movingMs } })),
    groups: [],
  };
  const ends = memoryBusPair((fault) => {
    throw fault;
  });
  const reports: Report[] = [];
  const stats: LinkStats[] = [];
  ends.controller.subscribe("reports", ({ report }) => void reports.push(report));
  ends.controller.subscribe("samples", (message) => void (message.type === "link-stats" && stats.push(message.stats)));
  let link: Link | undefined;
  let bridge: Awaited<ReturnType<typeof startBridge>> | undefined;
  let seq = 0;
  const beat = () =>
    ends.controller.publish("controller-beats", {
      epoch: 1,
      seq: ++seq,
      reportsSeen: Number.MAX_SAFE_INTEGER,
      bridgeBoot: bridge?.boot ?? null,
    });
  // The controller is this very process: whenever the bridge looks for it, it is there, however long the host looked away.
  const every: typeof clock.every = (ms, look) =>
    clock.every(ms, () => {
      beat();
      queueMicrotask(look);
    });
  bridge = await startBridge({
    config,
    bus: ends.bridge,
    clock: { ...clock, every },
    random: systemRandom(),
    createLink: (linkConfig, plan) => {
      link = createLink(linkConfig, { ...plan, clock, random: systemRandom(), log: silentLog });
      return link;
    },
    loadProfile,
    log: silentLog,
  });
  beat();
  const status = (unit: number) =>
    reports.flatMap((one) => (one.type === "axis-status" && one.status.axis === `s${unit}` ? [one.status] : [])).at(-1);
  await until(() => units.every((unit) => (status(unit)?.reads ?? 0) >= 2), "all servos are read");
  let orders = 0;
  let generation = 0;
  const of = (commandId: string) => reports.filter((report) => "commandId" in report && report.commandId === commandId);
  /** Gives the order and returns its reports as they come. */
  const order = (unit: number, action: OrderAction) => {
    const n = ++orders;
    const ids = { orderId: `o${n}`, commandId: `c${n}` as CommandId, axis: `s${unit}` as AxisId };
    const rest = { epoch: 1, stopGeneration: generation, leaseSequence: 0, notAfterMs: clock.monotonicMs() + 5000 };
    ends.controller.publish("orders", { type: "order", order: { ...ids, ...rest, action } });
    return () => of(ids.commandId);
  };
  return {
    sim,
    reports,
    stats,
    status,
    order,
    frames: () => link?.frames() ?? [],
    drive: (unit: number) => {
      const found = sim.ports.find(({ drive }) => drive.unit === unit);
      if (!found) throw new Error(`no servo ${unit}`);
      found.drive.advance(clock.monotonicNs());
      return found;
    },
    /** Gives the same order to all, in one go, and waits for the end of each. */
    async all(action: OrderAction): Promise<readonly (Report | undefined)[]> {
      const each = units.map((unit) => order(unit, action));
      await until(() => each.every((of) => ended(of())), `${action.kind} ends everywhere`);
      return each.map((of) => of().at(-1));
    },
    stop(unit: number): void {
      const stopGeneration = ++generation;
      const axis = `s${unit}` as AxisId;
      ends.controller.publish("stops", { stopId: `s${generation}`, axis, epoch: 1, stopGeneration, reason: "person" });
    },
    async close(): Promise<void> {
      await bridge.close();
      await sim.unplug();
      rmSync(directory, { recursive: true });
    },
  };
}
