import { join } from "node:path";
import type { LinkConfig, LinkId } from "@servofleet/contracts";
import { lineCost } from "@servofleet/firmware-bridge/link/bus-cost";
import { bareModbusRate } from "./bare-modbus-loop.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { atLeast, type Measurement, measurementOf } from "./bench-result.ts";
import { interleaved } from "./interleave.ts";
import { linkRate } from "./link-loop.ts";
import { median } from "./statistics.ts";
import { startWorker } from "./worker.ts";

const OPEN_LIMIT_MS = 5000;
const UNIT = 1;
const REGISTERS = 10;
const BAUD = 115_200;
/** Our own bar: what is lost to modbus-serial's own loop must stay in the noise of a small machine. */
const PARITY = 0.9;

/**
 * Reads of 10 registers, one after the other, on a pty whose slave answers at once. The bare loop keeps no silence between
 * frames, which a drive is owed (t3.5); so the bar compares with the bare loop plus that silence, and the bare figure
 * itself is printed beside it.
 */
export async function transactionsRtu(context: BenchContext): Promise<Measurement> {
  const { clock, directory } = context;
  const path = join(directory, "line");
  const config: LinkConfig = {
    id: "bench_line" as LinkId,
    kind: "modbus-rtu",
    port: path,
    baud: BAUD,
    parity: "none",
    stopBits: 1,
    stopWaitMaxMs: 1000,
  };
  const server = startWorker("modbus-rtu-server", clock);
  try {
    await server.ask("open", path, OPEN_LIMIT_MS);
    const read = { unit: UNIT, quantity: REGISTERS, count: sized(context, 400, 150) };
    const rates = await inTurns(
      context,
      () => linkRate(config, read, context),
      () => bareModbusRate({ path, baud: BAUD }, read, clock),
    );
    const { silenceUs } = lineCost(config);
    return measurementOf({
      unit: "transactions/s",
      values: rates.a,
      references: rates.b.map((rate) => 1e6 / (1e6 / rate + silenceUs)),
      referenceName: `bare modbus-serial loop on the same pty, plus t3.5 (${silenceUs / 1000} ms) before each request`,
      bar: atLeast(PARITY),
      more: { bareLoop: Math.round(median(rates.b)) },
    });
  } finally {
    await server.stop();
  }
}

/** The same on Modbus TCP, where no silence is owed: the link against the bare loop. */
export async function transactionsTcp(context: BenchContext): Promise<Measurement> {
  const { clock } = context;
  const server = startWorker("modbus-tcp-server", clock);
  try {
    const { port } = await server.ask<{ port: number }>("open", null, OPEN_LIMIT_MS);
    const config: LinkConfig = {
      id: "bench_cell" as LinkId,
      kind: "modbus-tcp",
      host: "127.0.0.1",
      port,
      stopWaitMaxMs: 1000,
    };
    const read = { unit: UNIT, quantity: REGISTERS, count: sized(context, 4000, 1500) };
    const rates = await inTurns(
      context,
      () => linkRate(config, read, context),
      () => bareModbusRate({ port }, read, clock),
    );
    return measurementOf({
      unit: "transactions/s",
      values: rates.a,
      references: rates.b,
      referenceName: "bare modbus-serial loop on the same server",
      bar: atLeast(PARITY),
    });
  } finally {
    await server.stop();
  }
}

async function inTurns(context: BenchContext, ours: () => Promise<number>, bare: () => Promise<number>) {
  // The first run of each compiles its code and is not counted.
  await interleaved(1, ours, bare);
  // Many short runs: a turn of somebody else's work then spoils one ratio, not the median.
  return interleaved(sized(context, 21, 9), ours, bare);
}
