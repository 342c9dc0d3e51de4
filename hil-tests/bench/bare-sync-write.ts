import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Clock } from "@servofleet/runtime/clock";

/** One page of the log's WAL with its frame header: the least that a commit writes. */
const PAGE = Buffer.alloc(4096 + 24, 0x5a);
/** A write of one register on Modbus TCP. */
const REQUEST = Buffer.from("000100000006ff0660400006", "hex");

/** What no gateway can do without: put a page on the disk, then bytes on the wire. */
export interface BareSyncWrite {
  /** Does it once and returns when it began, monotonic ns; the sink notes when the bytes arrive. */
  once(): bigint;
  close(): void;
}

/** Opens a file in the directory and a connection to the sink; resolves when both are ready. */
export async function openBareSyncWrite(directory: string, sinkPort: number, clock: Clock): Promise<BareSyncWrite> {
  const file = openSync(join(directory, "bare-sync.bin"), "w");
  const socket = connect({ host: "127.0.0.1", port: sinkPort, noDelay: true });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return {
    once() {
      const startedNs = clock.monotonicNs();
      writeSync(file, PAGE);
      fsyncSync(file);
      socket.write(REQUEST);
      return startedNs;
    },
    close() {
      socket.destroy();
      closeSync(file);
    },
  };
}
