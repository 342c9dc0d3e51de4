import type { Clock } from "@servofleet/runtime/clock";
import { Cia402RegisterDrive, plainCia402Face } from "./cia402-register-drive.ts";
import { DynamixelDrive } from "./dynamixel-drive.ts";
import { dynamixelWire } from "./dynamixel-wire.ts";
import { FeetechDrive } from "./feetech-drive.ts";
import { feetechWire } from "./feetech-wire.ts";
import { IgusDrive } from "./igus-drive.ts";
import { KincoDrive } from "./kinco-drive.ts";
import { LeadshineDrive } from "./leadshine-drive.ts";
import type { DriveConfig, LinkConfig, RawTcpConfig, ServoBusConfig } from "./links-file.ts";
import { RtuSlaves, typicalReplyMs } from "./modbus-rtu-slave.ts";
import { TcpSlaves } from "./modbus-tcp-slave.ts";
import { MrJeCDrive, servoPlant } from "./mr-je-c-drive.ts";
import { OrientalDrive } from "./oriental-drive.ts";
import { openPtyLine, type PtyLine } from "./pty.ts";
import { RawTcpLine } from "./raw-tcp-line.ts";
import { RegisterServoDrive } from "./register-servo-drive.ts";
import { DrivePort } from "./reply-faults.ts";
import { ServoSlaves } from "./servo-slaves.ts";
import type { SimulatedDrive } from "./simulated-drive.ts";

/** Where a link can be reached. */
export type LinkAddress = { path: string } | { host: string; port: number };

/** One simulated line or TCP port with its drives, and the trouble that meets all of them at once. */
export interface SimLink {
  readonly id: string;
  readonly kind: LinkConfig["kind"];
  readonly ports: readonly DrivePort[];
  readonly plugged: boolean;
  address(): LinkAddress;
  plug(): Promise<void>;
  unplug(): Promise<void>;
  /** Sends bytes that no request asked for. */
  inject(bytes: Uint8Array): void;
  /** Resets the open TCP connections; a serial line has none and returns false. */
  reset(): boolean;
}

/** Builds the link and opens it. Throws SimError `no-pty`, `path-taken`, `port-taken`. */
export function openLink(config: LinkConfig, clock: Clock): Promise<SimLink> {
  const ports = config.drives.map((drive) => new DrivePort(buildDrive(drive)));
  switch (config.kind) {
    case "modbus-rtu":
      return openRtu(config, ports, clock);
    case "modbus-tcp":
      return openTcp(config, ports, clock);
    case "modbus-rtu-over-tcp":
      return openRawTcp(config, ports, clock);
    case "dynamixel":
    case "feetech":
      return openServoBus(config, ports, clock);
    default:
      return config satisfies never;
  }
}

function buildDrive({ id, unit, model, plant, quirks }: DriveConfig): SimulatedDrive {
  switch (model) {
    case "leadshine-icl-rs":
      return new LeadshineDrive(id, unit, plant, quirks);
    case "mitsubishi-mr-je-c":
      return new MrJeCDrive(id, unit, plant, quirks);
    case "oriental-az":
      return new OrientalDrive(id, unit, plant, quirks);
    case "igus-dryve-d1":
      return new IgusDrive(id, unit, plant, quirks);
    case "kinco-fd":
      return new KincoDrive(id, unit, plant, quirks);
    case "cia402-modbus":
      return new Cia402RegisterDrive(id, unit, plainCia402Face(), { ...servoPlant, ...plant }, { ...quirks });
    case "dynamixel-x":
      return new DynamixelDrive(id, unit, plant);
    case "feetech-sts3215":
      return new FeetechDrive(id, unit, plant);
    case "register-servo":
      return new RegisterServoDrive(id, unit, plant);
    default:
      return model satisfies never;
  }
}

async function openRtu(
  config: Extract<LinkConfig, { kind: "modbus-rtu" }>,
  ports: readonly DrivePort[],
  clock: Clock,
): Promise<SimLink> {
  const replyMs = config.replyMs ?? typicalReplyMs(config.baud);
  const slaves = new RtuSlaves(ports, clock, (bytes) => line.write(bytes), config.baud, replyMs);
  const line = openPtyLine(config.path, (bytes) => slaves.receive(bytes));
  return ptyLink(config, ports, line, slaves);
}

async function openServoBus(config: ServoBusConfig, ports: readonly DrivePort[], clock: Clock): Promise<SimLink> {
  const wire = config.kind === "dynamixel" ? dynamixelWire : feetechWire;
  const slaves = new ServoSlaves(ports, clock, wire, (bytes) => line.write(bytes), config.replyMs);
  const line = openPtyLine(config.path, (bytes) => slaves.receive(bytes));
  return ptyLink(config, ports, line, slaves);
}

function ptyLink(
  config: Pick<LinkConfig, "id" | "kind">,
  ports: readonly DrivePort[],
  line: PtyLine,
  slaves: { close(): void },
): SimLink {
  return {
    id: config.id,
    kind: config.kind,
    ports,
    get plugged() {
      return line.plugged;
    },
    address: () => ({ path: line.path }),
    plug: async () => line.plug(),
    async unplug() {
      slaves.close();
      line.unplug();
    },
    inject: (bytes) => line.write(bytes),
    reset: () => false,
  };
}

async function openRawTcp(config: RawTcpConfig, ports: readonly DrivePort[], clock: Clock): Promise<SimLink> {
  const replyMs = config.replyMs ?? typicalReplyMs(config.baud);
  const slaves = new RtuSlaves(ports, clock, (bytes) => line.inject(bytes), config.baud, replyMs);
  const line = new RawTcpLine(config.host, config.port, (bytes) => slaves.receive(bytes));
  await line.open();
  return tcpLink(config, ports, line);
}

async function openTcp(
  config: Extract<LinkConfig, { kind: "modbus-tcp" }>,
  ports: readonly DrivePort[],
  clock: Clock,
): Promise<SimLink> {
  const slaves = new TcpSlaves(ports, clock, config.host, config.port, config.replyMs);
  await slaves.open();
  return tcpLink(config, ports, slaves);
}

function tcpLink(
  config: Pick<RawTcpConfig, "id" | "host"> & Pick<LinkConfig, "kind">,
  ports: readonly DrivePort[],
  end: Pick<TcpSlaves, "port" | "listening" | "open" | "close" | "reset" | "inject">,
): SimLink {
  return {
    id: config.id,
    kind: config.kind,
    ports,
    get plugged() {
      return end.listening;
    },
    address: () => ({ host: config.host, port: end.port }),
    plug: () => end.open(),
    unplug: () => end.close(),
    inject: (bytes) => end.inject(bytes),
    reset() {
      end.reset();
      return true;
    },
  };
}
