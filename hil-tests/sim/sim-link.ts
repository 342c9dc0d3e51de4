import type { Clock } from "@servofleet/runtime/clock";
import { LeadshineDrive } from "./leadshine-drive.ts";
import type { DriveConfig, LinkConfig } from "./links-file.ts";
import { RtuSlaves, typicalReplyMs } from "./modbus-rtu-slave.ts";
import { TcpSlaves } from "./modbus-tcp-slave.ts";
import { MrJeCDrive } from "./mr-je-c-drive.ts";
import { OrientalDrive } from "./oriental-drive.ts";
import { openPtyLine } from "./pty.ts";
import { DrivePort } from "./reply-faults.ts";
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
  return config.kind === "modbus-rtu" ? openRtu(config, ports, clock) : openTcp(config, ports, clock);
}

function buildDrive({ id, unit, model, plant, quirks }: DriveConfig): SimulatedDrive {
  switch (model) {
    case "leadshine-icl-rs":
      return new LeadshineDrive(id, unit, plant, quirks);
    case "mitsubishi-mr-je-c":
      return new MrJeCDrive(id, unit, plant, quirks);
    case "oriental-az":
      return new OrientalDrive(id, unit, plant, quirks);
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

async function openTcp(
  config: Extract<LinkConfig, { kind: "modbus-tcp" }>,
  ports: readonly DrivePort[],
  clock: Clock,
): Promise<SimLink> {
  const slaves = new TcpSlaves(ports, clock, config.host, config.port, config.replyMs);
  await slaves.open();
  return {
    id: config.id,
    kind: config.kind,
    ports,
    get plugged() {
      return slaves.listening;
    },
    address: () => ({ host: config.host, port: slaves.port }),
    plug: () => slaves.open(),
    unplug: () => slaves.close(),
    inject: (bytes) => slaves.inject(bytes),
    reset() {
      slaves.reset();
      return true;
    },
  };
}
