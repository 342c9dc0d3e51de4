import type { Link, ModbusRequest } from "@servofleet/firmware-bridge/link/link";
import { openLink } from "@servofleet/firmware-bridge/link/testing/link-bench";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../test-host.ts";
import {
  PYMODBUS_REGISTERS,
  PYMODBUS_UNITS,
  type PymodbusServer,
  pymodbusValue,
  startPymodbus,
} from "./pymodbus-server.ts";
import { registerRequest } from "./register-request.ts";

/** Unit that the server does not have. */
const NOBODY = 9;
const IN_FLIGHT = 16;

type Asked = readonly [unit: number, request: ModbusRequest];

const unit = fc.constantFrom(...PYMODBUS_UNITS);

describe.runIf(needs("pymodbus", "pyserial", "pyserial-asyncio", "socat")).each(["tcp", "rtu"] as const)(
  "a pymodbus server over %s",
  (wire) => {
    let server: PymodbusServer;
    let link: Link;
    /** What the server's registers must hold, by unit. */
    const held = new Map<number, number[]>(
      PYMODBUS_UNITS.map((of) => [of, Array.from({ length: PYMODBUS_REGISTERS }, (_, at) => pymodbusValue(of, at))]),
    );
    const holds = (of: number, address: number, quantity: number) =>
      held.get(of)?.slice(address, address + quantity) ?? [];

    beforeAll(async () => {
      server = await startPymodbus(wire);
      link = await openLink(server.config, [...PYMODBUS_UNITS, NOBODY]);
    });
    afterAll(async () => {
      await link?.close();
      await server?.end();
    });

    // A command waits for its whole limit; a poll would learn how quick the server is and give up on a hiccup of the host.
    const ask = (...[of, what]: Asked) => link.transact(of, what, { class: "command" });

    test("gives every register its own value, single and in blocks of any length", async () => {
      for (const of of PYMODBUS_UNITS) {
        for (let quantity = 1; quantity <= 125; quantity += 31)
          for (let address = 0; address + quantity <= PYMODBUS_REGISTERS; address += quantity) {
            const { registers } = await ask(of, { fn: "read", address, quantity });
            expect(registers, `unit ${of}, ${quantity} registers from ${address}`).toEqual(
              holds(of, address, quantity),
            );
          }
      }
    });

    test("gives each of many callers the answer to its own question", async () => {
      const wanted = Array.from({ length: IN_FLIGHT }, (_, n) => ({ of: 1 + (n % 2), address: 3 * n, quantity: 2 }));
      const answers = await Promise.all(
        wanted.map(({ of, address, quantity }) => ask(of, { fn: "read", address, quantity })),
      );
      expect(answers.map(({ registers }) => registers)).toEqual(
        wanted.map(({ of, address, quantity }) => holds(of, address, quantity)),
      );
    });

    test("refuses what lies beyond its last register with exception 2, and answers the next question rightly", async () => {
      const beyond: readonly ModbusRequest[] = [
        { fn: "read", address: PYMODBUS_REGISTERS - 1, quantity: 2 },
        { fn: "write", address: PYMODBUS_REGISTERS, value: 1 },
        { fn: "write-many", address: PYMODBUS_REGISTERS - 1, values: [1, 2] },
      ];
      for (const what of beyond) {
        await expect(ask(1, what), JSON.stringify(what)).rejects.toMatchObject({
          code: "exception",
          facts: { exceptionCode: 2 },
        });
        const { registers } = await ask(1, { fn: "read", address: PYMODBUS_REGISTERS - 2, quantity: 2 });
        expect(registers).toEqual(holds(1, PYMODBUS_REGISTERS - 2, 2));
      }
      expect(link.stats().errors).toMatchObject({ exception: 3, timeout: 0, crc: 0, mismatch: 0, late: 0 });
    });

    test("holds what was written, where it was written and nowhere else, whatever the order", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(unit, registerRequest(PYMODBUS_REGISTERS)), { maxLength: 12 }),
          async (asked) => {
            for (const [of, what] of asked) {
              const { registers } = await ask(of, what);
              if (what.fn === "read") expect(registers).toEqual(holds(of, what.address, what.quantity));
              if (what.fn === "write") held.get(of)?.splice(what.address, 1, what.value);
              if (what.fn === "write-many") held.get(of)?.splice(what.address, what.values.length, ...what.values);
            }
            for (const of of PYMODBUS_UNITS)
              for (const address of [0, PYMODBUS_REGISTERS / 2]) {
                const quantity = PYMODBUS_REGISTERS / 2;
                const { registers } = await ask(of, { fn: "read", address, quantity });
                expect(registers).toEqual(holds(of, address, quantity));
              }
          },
        ),
        { numRuns: 15 },
      );
    });

    // The last one, because it costs a whole wait.
    test("has no unit 9: that is silence, and the others answer on", async () => {
      const nobody = ask(NOBODY, { fn: "read", address: 0, quantity: 1 });
      await expect(nobody).rejects.toMatchObject({ code: "no-reply", sent: true });
      expect((await ask(2, { fn: "read", address: 5, quantity: 1 })).registers).toEqual(holds(2, 5, 1));
    });
  },
);
