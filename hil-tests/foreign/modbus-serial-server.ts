import { once } from "node:events";
import type { LinkConfig } from "@servofleet/contracts";
import { rtuConfig, tcpConfig } from "@servofleet/firmware-bridge/link/testing/link-bench";
import modbusSerial from "modbus-serial";
import { freePort } from "./free-port.ts";
import { socatPair } from "./socat-pair.ts";

const REPLY_WAIT_MS = 10_000;

/** modbus-serial's own slave, with its own parser and its own frames. It answers for every unit. */
export interface ModbusSerialServer {
  readonly config: LinkConfig;
  /** What it holds, by `unit * 65536 + address`; 0 where nothing was written. */
  readonly held: Map<number, number>;
  end(): Promise<void>;
}

const at = (unit: number, address: number) => unit * 65_536 + address;

function vectorOf(held: Map<number, number>) {
  return {
    getHoldingRegister: (address: number, unit: number) => held.get(at(unit, address)) ?? 0,
    setRegister: (address: number, value: number, unit: number) => void held.set(at(unit, address), value),
  };
}

const closed = (server: { close(done: (error: Error | null) => void): void }) =>
  new Promise<void>((resolve) => server.close(() => resolve()));

/** Starts it on a free port, or at one end of a serial cable. */
export async function startModbusSerial(wire: "rtu" | "tcp"): Promise<ModbusSerialServer> {
  const held = new Map<number, number>();
  if (wire === "tcp") {
    const port = await freePort();
    const server = new modbusSerial.ServerTCP(vectorOf(held), { host: "127.0.0.1", port });
    await once(server, "initialized");
    return { config: tcpConfig(port, REPLY_WAIT_MS), held, end: () => closed(server) };
  }
  const cable = await socatPair();
  const options = { path: cable.one, baudRate: 115_200, interval: 1 };
  const server = new modbusSerial.ServerSerial(vectorOf(held), options);
  await once(server, "initialized");
  const end = async () => {
    await closed(server);
    await cable.end();
  };
  return { config: rtuConfig(cable.other, REPLY_WAIT_MS), held, end };
}
