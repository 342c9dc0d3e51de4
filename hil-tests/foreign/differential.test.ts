import type { Link, ModbusRequest } from "@servofleet/firmware-bridge/link/link";
import { openLink } from "@servofleet/firmware-bridge/link/testing/link-bench";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../test-host.ts";
import { type MbpollTalk, type MbpollTarget, mbpoll } from "./mbpoll.ts";
import { type ModbusSerialServer, startModbusSerial } from "./modbus-serial-server.ts";
import { PYMODBUS_REGISTERS, type PymodbusServer, startPymodbus } from "./pymodbus-server.ts";
import { registerRequest } from "./register-request.ts";

/** A transaction id differs from run to run; everything behind it must not. */
const TRANSACTION_ID_DIGITS = { rtu: 0, tcp: 4 } as const;

describe.runIf(needs("mbpoll", "pymodbus", "pyserial", "pyserial-asyncio", "socat")).each(["rtu", "tcp"] as const)(
  "libmodbus and our link ask the same over %s",
  (wire) => {
    /** Reads last, so that both masters leave and find the same registers. */
    const requests: readonly ModbusRequest[] = [
      { fn: "write", address: 0, value: 0xffff },
      { fn: "write", address: PYMODBUS_REGISTERS, value: 1 },
      { fn: "write-many", address: 10, values: [0, 1, 0x7fff, 0x8000, 0xffff] },
      { fn: "write-many", address: 76, values: Array.from({ length: 123 }, (_, n) => n * 533) },
      { fn: "write-many", address: PYMODBUS_REGISTERS - 1, values: [1, 2] },
      { fn: "read", address: 0, quantity: 1 },
      { fn: "read", address: 8, quantity: 9 },
      { fn: "read", address: 75, quantity: 125 },
      { fn: "read", address: PYMODBUS_REGISTERS - 1, quantity: 2 },
    ];
    const theirs: MbpollTalk[] = [];
    const ours: MbpollTalk[] = [];

    beforeAll(async () => {
      const server: PymodbusServer = await startPymodbus(wire);
      try {
        const target: MbpollTarget =
          wire === "rtu" ? { wire, device: server.address } : { wire, port: Number(server.address) };
        for (const request of requests) theirs.push(await mbpoll(target, 2, request));
        const link = await openLink(server.config, [2]);
        for (const request of requests) ours.push(await talk(link, request));
        await link.close();
      } finally {
        await server.end();
      }
    });

    async function talk(link: Link, request: ModbusRequest): Promise<MbpollTalk> {
      const done = await link.transact(2, request, { class: "command" }).catch((error) => error);
      const [tx, rx] = done.frames as readonly { hex: string }[];
      return { tx: tx?.hex ?? "", rx: rx?.hex ?? "", registers: done.registers ?? [] };
    }

    test.each(requests.map((request, n) => ({ n, fn: request.fn, address: request.address })))(
      "$fn at $address: the same request, bit for bit, and the same answer",
      ({ n }) => {
        const digits = TRANSACTION_ID_DIGITS[wire];
        const [their, our] = [theirs[n], ours[n]];
        expect(their?.tx).not.toBe("");
        expect(our?.tx.slice(digits)).toBe(their?.tx.slice(digits));
        expect(our?.rx.slice(digits)).toBe(their?.rx.slice(digits));
        expect(our?.registers).toEqual(their?.registers);
      },
    );
  },
);

describe.runIf(needs("socat")).each(["rtu", "tcp"] as const)("modbus-serial's own slave over %s", (wire) => {
  const REGISTERS = 65_536;
  let server: ModbusSerialServer;
  let link: Link;
  beforeAll(async () => {
    server = await startModbusSerial(wire);
    link = await openLink(server.config);
  });
  afterAll(async () => {
    await link?.close();
    await server?.end();
  });

  test("understands what our link writes and is understood in what it answers", async () => {
    const held = new Map<number, number>();
    const asked = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), registerRequest(REGISTERS)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(asked, async (requests) => {
        for (const [unit, request] of requests) {
          const { registers } = await link.transact(unit, request, { class: "command" });
          const at = (n: number) => unit * REGISTERS + request.address + n;
          if (request.fn === "read")
            expect(registers).toEqual(Array.from({ length: request.quantity }, (_, n) => held.get(at(n)) ?? 0));
          if (request.fn === "write") held.set(at(0), request.value);
          if (request.fn === "write-many") for (const [n, value] of request.values.entries()) held.set(at(n), value);
        }
        expect(server.held).toEqual(held);
      }),
      { numRuns: 20 },
    );
    expect(held.size).toBeGreaterThan(0);
  });
});
