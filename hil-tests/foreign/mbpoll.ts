import { execFile } from "node:child_process";
import type { ModbusRequest } from "@servofleet/firmware-bridge/link/link";

const RUN_LIMIT_MS = 60_000;
/** The most that mbpoll waits for an answer, s: a busy host is slow. */
const PATIENT = ["-o", "10"];

/** Where mbpoll finds its server: a serial device at 115200 8N1, or a port of this machine. */
export type MbpollTarget =
  | { readonly wire: "rtu"; readonly device: string }
  | { readonly wire: "tcp"; readonly port: number };

/** What libmodbus put on the wire and got back, whole frames in hex; `rx` is "" after silence. */
export interface MbpollTalk {
  readonly tx: string;
  readonly rx: string;
  /** Registers as mbpoll printed them. */
  readonly registers: readonly number[];
}

/** Lets mbpoll do one transaction; libmodbus prints its frames, the request as [01], the answer as <01>. */
export async function mbpoll(target: MbpollTarget, unit: number, request: ModbusRequest): Promise<MbpollTalk> {
  const on = target.wire === "rtu" ? ["-b", "115200", "-P", "none", "-B"] : ["-p", String(target.port)];
  const count = request.fn === "read" ? ["-c", String(request.quantity)] : [];
  const values = request.fn === "read" ? [] : request.fn === "write" ? [request.value] : request.values;
  const at = ["-v", "-m", target.wire, ...on, "-0", "-1", "-a", String(unit), "-t", "4", "-r", String(request.address)];
  const where = target.wire === "rtu" ? target.device : "127.0.0.1";
  const said = await output([...PATIENT, ...at, ...count, where, ...values.map(String)]);
  return {
    tx: frameIn(said, /^(?:\[[0-9A-F]{2}\])+$/m),
    rx: frameIn(said, /^(?:<[0-9A-F]{2}>)+$/m),
    registers: [...said.matchAll(/^\[\d+\]:\s+(\d+)/gm)].map(([, value]) => Number(value)),
  };
}

/** All it said; an exception answer makes it exit with 1, which is no failure here. */
const output = (args: readonly string[]): Promise<string> =>
  new Promise((resolve) =>
    execFile("mbpoll", [...args], { timeout: RUN_LIMIT_MS }, (_error, stdout, stderr) => resolve(stdout + stderr)),
  );

const frameIn = (said: string, form: RegExp): string =>
  (form.exec(said)?.[0] ?? "").replace(/[^0-9A-F]/g, "").toLowerCase();
