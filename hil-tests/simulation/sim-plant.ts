import type { AxisId } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { LeadshineDrive } from "../sim/leadshine-drive.ts";
import { MbapConnection } from "../sim/mbap-connection.ts";
import { RtuSlaves, typicalReplyMs } from "../sim/modbus-rtu-slave.ts";
import { MrJeCDrive } from "../sim/mr-je-c-drive.ts";
import { DrivePort } from "../sim/reply-faults.ts";
import type { SimulatedDrive } from "../sim/simulated-drive.ts";
import { MotionBook } from "./motion-book.ts";
import { SIM_BAUD, simAxes } from "./sim-fleet.ts";
import type { SimTime } from "./sim-time.ts";
import { type LineEnd, SimWire } from "./sim-wire.ts";

/** Start, eight data bits, no parity, stop. */
const BITS_PER_BYTE = 10;
const TCP_REPLY_MS = 0.4;
const MOVING_COUNTS_PER_S = 60;

/** The machines and their lines: they outlive every process. */
export class SimPlant {
  readonly book = new MotionBook();
  readonly drives = new Map<AxisId, SimulatedDrive>();
  readonly lines: ReadonlyMap<string, SimWire>;
  readonly #time: SimTime;
  readonly #clock: Clock;
  readonly #ports: readonly { readonly axis: AxisId; readonly link: string; readonly port: DrivePort }[];

  constructor(time: SimTime, clock: Clock, random: Random, watchdog: "none" | "telegram" | "write") {
    this.#time = time;
    this.#clock = clock;
    this.#ports = simAxes.map(({ id, link, unit, profile, homeAt }) => {
      const plant = { homeSwitch: { at: homeAt, width: 2000 } };
      const drive =
        profile === "leadshine-icl-rs"
          ? new LeadshineDrive(id, unit, plant, { bootMs: 300 })
          : new MrJeCDrive(id, unit, {}, { watchdog, watchdogMs: 400, bootMs: 300 });
      this.drives.set(id, drive);
      return { axis: id, link, port: new DrivePort(drive) };
    });
    this.lines = new Map([
      ["line_a", new SimWire(time, random, this.#serialLine("line_a"))],
      ["cell_2", new SimWire(time, random, this.#tcpLine("cell_2"))],
    ]);
  }

  /** Whether the machine really moves, whatever anybody thinks of it. */
  moving(axis: AxisId): boolean {
    const drive = this.drives.get(axis);
    if (!drive) return false;
    drive.advance(BigInt(this.#time.nowNs));
    return Math.abs(drive.motor.velocity) > MOVING_COUNTS_PER_S || !drive.motor.demand.atRest;
  }

  get anyMoving(): boolean {
    return [...this.drives.keys()].some((axis) => this.moving(axis));
  }

  #serialLine(link: string): LineEnd {
    const ports = this.#portsOf(link);
    const replyMs = typicalReplyMs(SIM_BAUD);
    let toMaster: (bytes: Uint8Array) => void = () => undefined;
    const slaves = new RtuSlaves(ports, this.#clock, (bytes) => toMaster(bytes), SIM_BAUD, replyMs);
    return {
      byteMs: (BITS_PER_BYTE * 1000) / SIM_BAUD,
      serial: true,
      connect: ({ send }) => {
        toMaster = send;
        return (bytes, writtenMs) => {
          slaves.receive(bytes);
          this.#served(link, writtenMs);
        };
      },
      wrote: (bytes) => this.#wrote(link, bytes, bytes[0], bytes[1]),
    };
  }

  #tcpLine(link: string): LineEnd {
    const ports = this.#portsOf(link);
    return {
      byteMs: 0,
      serial: false,
      connect: ({ send, hangUp }) => {
        const connection = new MbapConnection({ ports, clock: this.#clock, replyMs: TCP_REPLY_MS, send, hangUp });
        return (bytes, writtenMs) => {
          connection.receive(bytes);
          this.#served(link, writtenMs);
        };
      },
      wrote: (bytes) => this.#wrote(link, bytes, bytes[6], bytes[7]),
    };
  }

  #portsOf(link: string): DrivePort[] {
    return this.#ports.filter((one) => one.link === link).map(({ port }) => port);
  }

  #served(link: string, writtenMs: number): void {
    for (const { axis, link: own, port } of this.#ports)
      if (own === link) this.book.served(axis, port.drive, writtenMs, this.#time.nowMs);
  }

  #wrote(link: string, bytes: Uint8Array, unit: number | undefined, functionCode: number | undefined): void {
    if (functionCode !== 0x06 && functionCode !== 0x10) return;
    const to = this.#ports.find((one) => one.link === link && one.port.drive.unit === unit);
    if (to) this.book.wrote(to.axis, bytes, this.#time.nowMs);
  }
}
