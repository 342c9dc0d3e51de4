import { readFileSync } from "node:fs";
import type { Frame } from "@servofleet/contracts";
import type { Link, ModbusRequest, TransactionDone } from "@servofleet/firmware-bridge/link/link";
import { openLink } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../test-host.ts";
import { PYMODBUS_REGISTERS, PYMODBUS_UNITS, type PymodbusServer, startPymodbus } from "./pymodbus-server.ts";
import { type Dissected, dissectRtu, dissectTcp } from "./tshark.ts";

const FUNCTION_CODE = { read: 3, write: 6, "write-many": 16, "read-write": 23 } as const;

/** One transaction, and what it came to. */
interface Talk {
  readonly unit: number;
  readonly request: ModbusRequest;
  readonly registers: readonly number[];
  readonly exceptionCode: number | null;
}

/** Every function code the links speak, every length of a block, exceptions among them. */
const REQUESTS: readonly ModbusRequest[] = [
  ...Array.from({ length: 125 }, (_, n): ModbusRequest => ({ fn: "read", address: n % 70, quantity: n + 1 })),
  ...Array.from({ length: 60 }, (_, n): ModbusRequest => ({ fn: "write", address: 3 * n, value: (n * 1291) & 0xffff })),
  ...Array.from(
    { length: 60 },
    (_, n): ModbusRequest => ({
      fn: "write-many",
      address: n,
      values: Array.from({ length: 2 * n + 1 }, (_, at) => (n * 257 + at * 31) & 0xffff),
    }),
  ),
  { fn: "read", address: PYMODBUS_REGISTERS, quantity: 1 },
  { fn: "write", address: PYMODBUS_REGISTERS, value: 1 },
  { fn: "write-many", address: PYMODBUS_REGISTERS, values: [1] },
];

async function talk(link: Link, unit: number, request: ModbusRequest): Promise<Talk> {
  const said = { unit, request };
  return link.transact(unit, request, { class: "command" }).then(
    ({ registers }: TransactionDone) => ({ ...said, registers, exceptionCode: null }),
    (error: { code: string; facts: { exceptionCode?: number } }) => {
      if (error.code !== "exception") throw error;
      return { ...said, registers: [], exceptionCode: error.facts.exceptionCode ?? null };
    },
  );
}

/** The frame with one bit of one byte turned over. */
function damaged(frame: Frame, byte: number): Frame {
  const bytes = Buffer.from(frame.hex, "hex");
  bytes[byte] = (bytes[byte] ?? 0) ^ 1;
  return { ...frame, hex: bytes.toString("hex") };
}

const WIRES = {
  rtu: { dissect: dissectRtu, tools: ["pymodbus", "pyserial", "pyserial-asyncio", "socat"] },
  tcp: { dissect: dissectTcp, tools: ["pymodbus", "pyserial", "pyserial-asyncio"] },
} as const;

describe.each(["rtu", "tcp"] as const)("the frames a link kept of a conversation over %s", (wire) => {
  describe.runIf(needs("tshark", ...WIRES[wire].tools))("as tshark decodes them", () => {
    const { dissect } = WIRES[wire];
    let server: PymodbusServer;
    const talks: Talk[] = [];
    let frames: Link["frames"] extends () => infer T ? T : never;
    let seen: Dissected[];

    beforeAll(async () => {
      server = await startPymodbus(wire);
      const link = await openLink(server.config, PYMODBUS_UNITS);
      try {
        for (const [n, request] of REQUESTS.entries()) talks.push(await talk(link, 1 + (n % 2), request));
        frames = link.frames();
      } finally {
        await link.close();
      }
      seen = await dissect(frames);
    });
    afterAll(() => server?.end());

    test("are a request and an answer for each transaction, in order", () => {
      expect(frames.map(({ direction, unit }) => ({ direction, unit }))).toEqual(
        talks.flatMap(({ unit }) => [
          { direction: "tx", unit },
          { direction: "rx", unit },
        ]),
      );
    });

    test("are Modbus to their last byte, every one, with good checksums and nothing to complain of", () => {
      const bad = seen.map((one, n) => ({ ...one, hex: frames[n]?.hex })).filter(({ whole }) => !whole);
      expect(bad).toEqual([]);
      expect(seen).toHaveLength(2 * REQUESTS.length);
      expect(new Set(seen.map(({ crcGood }) => crcGood))).toEqual(new Set([wire === "rtu" ? true : null]));
    });

    test("carry the units and function codes that were asked for", () => {
      expect(seen.map(({ unit, functionCode, exceptionCode }) => ({ unit, functionCode, exceptionCode }))).toEqual(
        talks.flatMap(({ unit, request, exceptionCode }) => [
          { unit, functionCode: FUNCTION_CODE[request.fn], exceptionCode: null },
          { unit, functionCode: FUNCTION_CODE[request.fn], exceptionCode },
        ]),
      );
      expect(seen.filter(({ exceptionCode }) => exceptionCode === 2)).toHaveLength(3);
    });

    test("carry the addresses, lengths and register values that the callers gave and got", () => {
      for (const [n, { request, registers }] of talks.entries()) {
        const [asked, answered] = [seen[2 * n], seen[2 * n + 1]];
        // On a serial line a single write and its echo are the same bytes: tshark names neither request nor address.
        const address = wire === "rtu" && request.fn === "write" ? null : request.address;
        expect(asked?.address, JSON.stringify(request)).toBe(address);
        if (request.fn === "read") {
          expect(asked?.quantity).toBe(request.quantity);
          expect(answered?.values, JSON.stringify(request)).toEqual(registers);
        }
        if (request.fn === "write-many") expect(asked?.values).toEqual(request.values);
      }
    });

    test("pair by transaction id on TCP, where no two neighbours share one", () => {
      const ids = seen.map(({ transaction }) => transaction);
      if (wire === "rtu") return expect(new Set(ids)).toEqual(new Set([null]));
      for (let n = 0; n < ids.length; n += 2) {
        expect(ids[n]).toBe(ids[n + 1]);
        expect(ids[n]).not.toBe(ids[n + 2]);
      }
    });

    test("would be complained of if one of them were broken", async () => {
      const at = 7;
      // One bit in the middle of a serial frame; on TCP a frame that ends a byte before its header says.
      const broken = frames.map((frame, n) => {
        if (n !== at) return frame;
        return wire === "rtu" ? damaged(frame, 4) : { ...frame, hex: frame.hex.slice(0, -2) };
      });
      const again = await dissect(broken.slice(0, at + 1));
      expect(again.slice(0, at).every(({ whole }) => whole)).toBe(true);
      expect(again[at]?.whole).toBe(false);
      if (wire === "rtu") expect(again[at]).toMatchObject({ crcGood: false, complaint: /Incorrect CRC/ });
    });
  });
});

describe.runIf(needs("tshark"))("the golden frames of the manuals", () => {
  interface Golden {
    readonly id: string;
    readonly unit: number;
    readonly request: string;
    readonly reply: string;
    readonly note: string;
  }
  const file = new URL("../fixtures/golden-frames.json", import.meta.url);
  const golden = JSON.parse(readFileSync(file, "utf8")) as Golden[];

  test("are Modbus with good checksums, but for the one that is about a bad one", async () => {
    const at = "2026-01-01T00:00:00.000000Z";
    const hex = (text: string) => text.replaceAll(" ", "").toLowerCase();
    const frames = golden.flatMap(({ request, reply }): Frame[] => [
      { direction: "tx", at, hex: hex(request) },
      { direction: "rx", at, hex: hex(reply) },
    ]);
    const seen = await dissectRtu(frames);
    const bad = golden.filter((_, n) => !seen[2 * n]?.crcGood || !seen[2 * n + 1]?.crcGood);
    expect(bad.map(({ note }) => note)).toEqual(["bad CRC is answered"]);
    expect(seen.map(({ unit }) => unit)).toEqual(golden.flatMap(({ unit }) => [unit, unit]));
  });
});
