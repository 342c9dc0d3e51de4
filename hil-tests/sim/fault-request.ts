import type { Random } from "@servofleet/runtime/clock";
import { checkDocument } from "@servofleet/runtime/schema-complaints";
import type { DrivePort, ReplyFault } from "./reply-faults.ts";
import type { SimLink } from "./sim-link.ts";

/** Trouble in the drive or its machine. */
type MachineFault =
  | { kind: "blocked-shaft"; blocked: boolean }
  | { kind: "home-switch-dead"; dead: boolean }
  | { kind: "push"; counts: number }
  | { kind: "enable-input"; high: boolean }
  | { kind: "power-cycle" }
  | { kind: "clear" };

type DriveFault = ReplyFault | MachineFault;

type LinkFault =
  | { kind: "unplug" }
  | { kind: "replug" }
  | { kind: "noise"; count: number }
  | { kind: "garbage"; hex: string }
  | { kind: "reset-connection" };

/** Why a fault was not set; `facts` go into the answer. */
export interface FaultRefusal {
  status: 400 | 409;
  error: string;
  facts: unknown;
}

const times = { type: "integer", minimum: 1, maximum: 1_000_000 };
const on = { enum: ["any", "reads", "writes"], default: "any" };

function fault(kind: string, fields: Record<string, object> = {}): object {
  const required = Object.keys(fields).filter((name) => name !== "times");
  return { type: "object", properties: { kind: { const: kind }, ...fields }, required: ["kind", ...required] };
}

const driveFaults = {
  anyOf: [
    fault("silence", { times, on, execute: { type: "boolean", default: false } }),
    fault("late-reply", { times, on, delayMs: { type: "number", minimum: 0, maximum: 60_000 } }),
    fault("wrong-crc", { times, on }),
    fault("drop-bytes", { times, on, count: { type: "integer", minimum: 1, maximum: 256, default: 1 } }),
    fault("exception", { times, on, code: { type: "integer", minimum: 1, maximum: 255 } }),
    fault("wrong-unit", { times, on, unit: { type: "integer", minimum: 0, maximum: 255 } }),
    fault("stale-answer", { times, on }),
    fault("blocked-shaft", { blocked: { type: "boolean", default: true } }),
    fault("home-switch-dead", { dead: { type: "boolean", default: true } }),
    fault("push", { counts: { type: "number" } }),
    fault("enable-input", { high: { type: "boolean" } }),
    fault("power-cycle"),
    fault("clear"),
  ],
};

const linkFaults = {
  anyOf: [
    fault("unplug"),
    fault("replug"),
    fault("noise", { count: { type: "integer", minimum: 1, maximum: 256, default: 8 } }),
    fault("garbage", { hex: { type: "string", pattern: "^([0-9a-fA-F]{2}){1,512}$" } }),
    fault("reset-connection"),
  ],
};

/** Sets what `POST /drives/{id}/faults` asks for. */
export function setDriveFault(port: DrivePort, link: SimLink, body: unknown, nowNs: bigint): FaultRefusal | undefined {
  const { value, complaints } = checkDocument(driveFaults, body);
  if (complaints.length > 0) return { status: 400, error: "bad-fault", facts: complaints };
  const wanted = value as DriveFault;
  if (wanted.kind === "wrong-crc" && link.kind === "modbus-tcp") {
    return { status: 400, error: "no-crc-on-tcp", facts: "Modbus TCP frames carry no CRC; use drop-bytes" };
  }
  port.drive.advance(nowNs);
  const { motor } = port.drive;
  switch (wanted.kind) {
    case "blocked-shaft":
      motor.blocked = wanted.blocked;
      return undefined;
    case "home-switch-dead":
      motor.homeSwitchDead = wanted.dead;
      return undefined;
    case "push":
      motor.push(wanted.counts);
      return undefined;
    case "enable-input":
      port.drive.enableInput = wanted.high;
      return undefined;
    case "power-cycle":
      port.drive.powerCycle();
      return undefined;
    case "clear":
      port.clear();
      motor.blocked = false;
      motor.homeSwitchDead = false;
      return undefined;
    default:
      return port.add(wanted) ? undefined : { status: 409, error: "too-many-faults", facts: "clear some first" };
  }
}

/** Sets what `POST /links/{id}/faults` asks for. */
export async function setLinkFault(link: SimLink, body: unknown, random: Random): Promise<FaultRefusal | undefined> {
  const { value, complaints } = checkDocument(linkFaults, body);
  if (complaints.length > 0) return { status: 400, error: "bad-fault", facts: complaints };
  const wanted = value as LinkFault;
  switch (wanted.kind) {
    case "unplug":
      await link.unplug();
      return undefined;
    case "replug":
      await link.plug();
      return undefined;
    case "noise":
      link.inject(random.bytes(wanted.count));
      return undefined;
    case "garbage":
      link.inject(Buffer.from(wanted.hex, "hex"));
      return undefined;
    case "reset-connection":
      if (link.reset()) return undefined;
      return { status: 400, error: "no-connection", facts: "a serial line has no connection; use unplug" };
    default:
      return wanted satisfies never;
  }
}
