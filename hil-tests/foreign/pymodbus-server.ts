import { fileURLToPath } from "node:url";
import type { LinkConfig } from "@servofleet/contracts";
import { rtuConfig, tcpConfig } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { DEBIAN_PYTHON } from "../test-host.ts";
import { startForeign } from "./foreign-process.ts";
import { socatPair } from "./socat-pair.ts";

const SCRIPT = fileURLToPath(new URL("./pymodbus_server.py", import.meta.url));
/** Python answers in about a millisecond, on a busy test host in many. */
const REPLY_WAIT_MS = 3000;

/** Units that exist, and how many holding registers each has: twins of pymodbus_server.py. */
export const PYMODBUS_UNITS = [1, 2] as const;
export const PYMODBUS_REGISTERS = 200;
/** No two neighbours are alike, and no two units: an answer that is shifted or swapped shows. */
export const pymodbusValue = (unit: number, address: number): number => (unit * 10_007 + address * 263) % 65_536;

/** A pymodbus server and the configuration of a link to it. */
export interface PymodbusServer {
  readonly config: LinkConfig;
  /** Where another master reaches it: a device or a port number. */
  readonly address: string;
  end(): Promise<void>;
}

export type PymodbusWire = "tcp" | "rtu";

/** Starts the server on a free port, or at one end of a serial cable. */
export const startPymodbus = (wire: PymodbusWire): Promise<PymodbusServer> => (wire === "tcp" ? onTcp() : onCable());

async function onTcp(): Promise<PymodbusServer> {
  const server = await startForeign(DEBIAN_PYTHON, [SCRIPT, "tcp"], /^\{.*\}$/m);
  const { port } = JSON.parse(server.ready) as { port: number };
  return { config: tcpConfig(port, REPLY_WAIT_MS), address: String(port), end: () => server.end() };
}

async function onCable(): Promise<PymodbusServer> {
  const cable = await socatPair();
  try {
    const server = await startForeign(DEBIAN_PYTHON, [SCRIPT, "rtu", cable.one], /^\{.*\}$/m);
    const end = async () => {
      await server.end();
      await cable.end();
    };
    return { config: rtuConfig(cable.other, REPLY_WAIT_MS), address: cable.other, end };
  } catch (error) {
    await cable.end();
    throw error;
  }
}
