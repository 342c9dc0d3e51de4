import type { Clock } from "@servofleet/runtime/clock";
import modbusSerial from "modbus-serial";

const REPLY_LIMIT_MS = 1000;

/** What a program gets that uses modbus-serial as its README shows: reads per second, one after the other. */
export async function bareModbusRate(
  wire: { readonly path: string; readonly baud: number } | { readonly port: number },
  read: { readonly unit: number; readonly quantity: number; readonly count: number },
  clock: Clock,
): Promise<number> {
  const client = new modbusSerial.default();
  if ("path" in wire) await client.connectRTUBuffered(wire.path, { baudRate: wire.baud });
  else await client.connectTCP("127.0.0.1", { port: wire.port });
  try {
    client.setID(read.unit);
    client.setTimeout(REPLY_LIMIT_MS);
    const startedMs = clock.monotonicMs();
    for (let asked = 0; asked < read.count; asked++) await client.readHoldingRegisters(0, read.quantity);
    return (read.count * 1000) / (clock.monotonicMs() - startedMs);
  } finally {
    await new Promise<void>((resolve) => client.close(() => resolve()));
  }
}
