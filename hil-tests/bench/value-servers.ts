import { createServer, type Socket } from "node:net";
import type { WorkerParts } from "./worker-parts.ts";

const MBAP_BYTES = 7;
const READ = 3;
const WRITE_MANY = 16;

/** A value that a unit was given, at the server's end of the cable; monotonic ns of the host, decimal digits. */
export interface ValueArrived {
  readonly link: number;
  readonly unit: number;
  readonly value: number;
  readonly atNs: string;
}
export interface ServersPlan {
  readonly links: number;
  /** What the registers hold from the start, by address; all others count the reads of their unit. */
  readonly fixed: Readonly<Record<number, number>>;
  /** Writes to these registers are told. */
  readonly toldAddresses: readonly number[];
}

/** Modbus TCP servers with register-servo drives behind every unit id: they hold what they are given and move nothing. */
export function valueServers({ clock, note }: WorkerParts) {
  let valuesRead = 0;
  let reads = 0;
  const serve = (plan: ServersPlan, link: number) => {
    const units = new Map<number, Map<number, number>>();
    const registersOf = (unit: number) => {
      const known = units.get(unit) ?? new Map(Object.entries(plan.fixed).map(([at, value]) => [Number(at), value]));
      units.set(unit, known);
      return known;
    };
    const answer = (unit: number, pdu: Buffer): Buffer => {
      const address = pdu.readUInt16BE(1);
      const count = pdu.readUInt16BE(3);
      const registers = registersOf(unit);
      if (pdu[0] === READ) {
        valuesRead += count;
        reads += 1;
        const told = Buffer.alloc(2 + 2 * count);
        told[0] = READ;
        told[1] = 2 * count;
        for (let at = 0; at < count; at++)
          told.writeUInt16BE(registers.get(address + at) ?? reads & 0xffff, 2 + 2 * at);
        return told;
      }
      if (pdu[0] !== WRITE_MANY) return Buffer.of((pdu[0] ?? 0) | 0x80, 1);
      const atNs = clock.monotonicNs().toString();
      for (let at = 0; at < count; at++) {
        const value = pdu.readUInt16BE(6 + 2 * at);
        registers.set(address + at, value);
        if (plan.toldAddresses.includes(address + at)) note({ link, unit, value, atNs } satisfies ValueArrived);
      }
      return pdu.subarray(0, 5);
    };
    return (socket: Socket) => {
      let pending = Buffer.alloc(0);
      socket.on("error", () => socket.destroy());
      socket.on("data", (bytes: Buffer) => {
        pending = Buffer.concat([pending, bytes]);
        while (pending.length > MBAP_BYTES && pending.length >= 6 + pending.readUInt16BE(4)) {
          const end = 6 + pending.readUInt16BE(4);
          const pdu = answer(pending[MBAP_BYTES - 1] ?? 0, pending.subarray(MBAP_BYTES, end));
          const head = Buffer.from(pending.subarray(0, MBAP_BYTES));
          head.writeUInt16BE(1 + pdu.length, 4);
          socket.write(Buffer.concat([head, pdu]));
          pending = pending.subarray(end);
        }
      });
    };
  };
  return {
    open: (plan: ServersPlan): Promise<readonly number[]> =>
      Promise.all(
        Array.from(
          { length: plan.links },
          (_, link) =>
            new Promise<number>((resolve) => {
              const server = createServer({ noDelay: true }, serve(plan, link));
              server.listen(0, "127.0.0.1", () => {
                const address = server.address();
                resolve(address !== null && typeof address === "object" ? address.port : 0);
              });
            }),
        ),
      ),
    /** Register values read since the last call. */
    taken: () => {
      const seen = valuesRead;
      valuesRead = 0;
      return seen;
    },
  };
}
