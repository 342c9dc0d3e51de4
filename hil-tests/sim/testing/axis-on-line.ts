import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AxisConfig, CommandId, OrderAction, Report } from "@servofleet/contracts";
import { AxisSupervisor } from "@servofleet/firmware-bridge/axis/axis-supervisor";
import { axisConfig, ended, silentLog } from "@servofleet/firmware-bridge/axis/testing/test-axis";
import { createDrive } from "@servofleet/firmware-bridge/handshake/create-drive";
import { createLink } from "@servofleet/firmware-bridge/link/create-link";
import { rtuConfig, tcpConfig, until } from "@servofleet/firmware-bridge/link/testing/link-bench";
import type { DriveProfile } from "@servofleet/firmware-bridge/profile/drive-profile";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import type { DriveConfig } from "../links-file.ts";
import { openLink } from "../sim-link.ts";

const clock = systemClock();
/** Far above the wait of a line of the plant: a busy test host must not look like a silent drive. */
const REPLY_WAIT_MS = 400;

/** One simulated drive on a real pty, and the bridge's own supervisor of it on the other end: real bytes, real time. */
export async function axisOnLine(
  profile: DriveProfile,
  drive: DriveConfig,
  config: Partial<AxisConfig> = {},
  bus: "modbus-rtu" | "modbus-tcp" | "dynamixel" | "feetech" = "modbus-rtu",
) {
  const directory = mkdtempSync(join(tmpdir(), "axis-on-line-"));
  const path = join(directory, "line");
  const base = { id: "line_a", path, drives: [drive] };
  const sim = await openLink(
    bus === "modbus-tcp"
      ? { id: base.id, drives: base.drives, kind: bus, host: "127.0.0.1", port: 0, replyMs: 0 }
      : bus === "modbus-rtu"
        ? { ...base, kind: bus, baud: 115_200 }
        : { ...base, kind: bus, replyMs: 0.5 },
    clock,
  );
  const address = sim.address();
  const rtu = rtuConfig(path, REPLY_WAIT_MS);
  const { id, stopWaitMaxMs } = rtu;
  const socket = "port" in address ? tcpConfig(address.port, REPLY_WAIT_MS) : rtu;
  const line =
    bus === "modbus-rtu" || bus === "modbus-tcp"
      ? socket
      : { kind: bus, id, port: path, baud: 1_000_000, stopWaitMaxMs };
  const link = createLink(line, {
    clock,
    random: systemRandom(),
    units: [{ unit: drive.unit, axis: null }],
    log: silentLog,
  });
  link.open();
  const reports: Report[] = [];
  let generation = 0;
  let stops = 0;
  const supervisor = new AxisSupervisor({
    config: { ...axisConfig(drive.id, drive.unit, profile.name), ...config },
    stopWaitMaxMs: REPLY_WAIT_MS,
    link,
    drive: createDrive(profile),
    clock,
    log: silentLog,
    report: (report) => void reports.push(report),
    sample: () => undefined,
    gate: () => ({ epoch: 1, controllerSilent: null, closing: false }),
    newStopId: () => `own-${++stops}`,
  });
  supervisor.start();
  await until(() => supervisor.status().reads >= 2, "the drive is read");
  const [port] = sim.ports;
  const simulated = port?.drive;
  if (!port || !simulated) throw new Error("the line has no drive");
  let orders = 0;
  const order = (action: OrderAction): (() => Report[]) => {
    const n = ++orders;
    const commandId = `c${n}` as CommandId;
    const order = { orderId: `o${n}`, commandId, axis: supervisor.config.id, epoch: 1, stopGeneration: generation };
    supervisor.submit({ ...order, leaseSequence: 0, action, notAfterMs: clock.monotonicMs() + 5000 });
    return () => reports.filter((report) => "commandId" in report && report.commandId === commandId);
  };
  return {
    supervisor,
    simulated,
    /** The simulated line, to unplug and plug in again. */
    line: sim,
    /** Where reply faults are set. */
    port,
    reports,
    order,
    /** Sends an order and returns its last report. */
    async done(action: OrderAction): Promise<Report | undefined> {
      const of = order(action);
      await until(() => ended(of()), `${action.kind} ends`);
      return of().at(-1);
    },
    async stop(): Promise<void> {
      const stopId = `s${++generation}`;
      supervisor.stop({ stopId, axis: supervisor.config.id, epoch: 1, stopGeneration: generation, reason: "person" });
      const of = () =>
        reports.find((one) => one.type === "stop-result" && one.stopId === stopId && one.result !== "sent");
      await until(() => of() !== undefined, "the stop is answered");
    },
    /** The drive's own record: what was asked of the motor, in order. */
    kinds: () => simulated.record.list().map(({ kind, obeyed }) => (obeyed ? kind : `${kind} (ignored)`)),
    async close(): Promise<void> {
      supervisor.close();
      await link.close();
      await sim.unplug();
      rmSync(directory, { recursive: true });
    },
  };
}
