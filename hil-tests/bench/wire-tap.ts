import { connect, createServer, type Server, type Socket } from "node:net";
import { takeLinePriority } from "@servofleet/firmware-bridge/bridge/line-priority";
import type { WorkerParts } from "./worker-parts.ts";

/** A request passed on (reads are polls, or the look before a write), or bytes at the bare sink; monotonic ns of the host, decimal digits. */
export interface TapNote {
  readonly kind: "read" | "write" | "bare";
  readonly atNs: string;
}

const MBAP_BYTES = 7;
const isWrite = (functionCode: number | undefined) => functionCode === 6 || functionCode === 16;

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : 0);
    }),
  );

/**
 * Sits on the cable in front of a Modbus TCP drive: notes when each request's first byte arrives and passes everything on.
 * A second port takes the bare writes of the reference. A cable is never late, so it goes before everything that may wait.
 */
export function wireTap({ clock, note }: WorkerParts) {
  takeLinePriority();
  let drive = 0;
  const noted = (kind: TapNote["kind"], atNs: bigint) => note({ kind, atNs: atNs.toString() } satisfies TapNote);
  const pass = (bridge: Socket) => {
    const atDrive = connect({ host: "127.0.0.1", port: drive, noDelay: true });
    for (const [one, other] of [
      [bridge, atDrive],
      [atDrive, bridge],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.on("data", (bytes: Buffer) => void other.write(bytes));
    }
    let pending = Buffer.alloc(0);
    bridge.on("data", (bytes: Buffer) => {
      const atNs = clock.monotonicNs();
      pending = Buffer.concat([pending, bytes]);
      while (pending.length > MBAP_BYTES && pending.length >= 6 + pending.readUInt16BE(4)) {
        noted(isWrite(pending[MBAP_BYTES]) ? "write" : "read", atNs);
        pending = pending.subarray(6 + pending.readUInt16BE(4));
      }
    });
  };
  const bare = (socket: Socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", () => noted("bare", clock.monotonicNs()));
  };
  return {
    /** Opens both ports; the drive's port may be told later. */
    open: async () => ({
      tapPort: await listening(createServer({ noDelay: true }, pass)),
      barePort: await listening(createServer({ noDelay: true }, bare)),
    }),
    passTo(port: number) {
      drive = port;
    },
  };
}
