import modbusSerial from "modbus-serial";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { answerTo, withCrcOf } from "./testing/answers.ts";
import { clock, openLink, PATIENCE_MS, REPLY_WAIT_MS, rtuConfig, until } from "./testing/link-bench.ts";
import { firstAnswerLate, obedient, RtuSlave } from "./testing/rtu-slave.ts";

/*
 * Each case is met twice on a real pty: bare modbus-serial does what must never happen on a motion bus (asserted as
 * such, so that a fixed release shows), and our link, on the same slave, does not.
 */
let slave: RtuSlave;
beforeEach(() => {
  slave = new RtuSlave();
});
afterEach(() => slave.close());

async function withBare<T>(use: (client: InstanceType<typeof modbusSerial.default>) => Promise<T>): Promise<T> {
  const client = new modbusSerial.default();
  await client.connectRTUBuffered(slave.path, { baudRate: 115_200 });
  client.setTimeout(REPLY_WAIT_MS);
  client.setID(1);
  slave.requests.length = 0;
  try {
    return await use(client);
  } finally {
    await new Promise<void>((resolve) => client.close(() => resolve()));
  }
}

async function withOurs<T>(use: (link: Link) => Promise<T>, config = rtuConfig(slave.path, REPLY_WAIT_MS)): Promise<T> {
  const link = await openLink(config);
  slave.requests.length = 0;
  try {
    return await use(link);
  } finally {
    await link.close();
  }
}

/** What a read gave: registers, or the message of the failure. */
const bareRead = (client: InstanceType<typeof modbusSerial.default>, address: number, quantity: number) =>
  client.readHoldingRegisters(address, quantity).then(
    (result) => result.data,
    (error: { message: string }) => error.message,
  );
const ourRead = (link: Link, unit: number, address: number, quantity: number) =>
  link.transact(unit, { fn: "read", address, quantity }, { class: "confirm" }).then(
    (done) => done.registers,
    (error: { code: string }) => error.code,
  );

describe("a late reply of the same shape (case 1)", () => {
  test("bare modbus-serial shifts every following answer by one request", async () => {
    slave.behaviour = firstAnswerLate();
    await withBare(async (client) => {
      expect(await bareRead(client, 100, 2)).toBe("Timed out");
      client.setTimeout(PATIENCE_MS);
      expect(await bareRead(client, 110, 2)).toEqual([100, 101]);
      expect(await bareRead(client, 120, 2)).toEqual([110, 111]);
      expect(await bareRead(client, 130, 2)).toEqual([120, 121]);
    });
  });

  test("ours asks for one register more, cuts the answer, and is never shifted", async () => {
    slave.behaviour = firstAnswerLate();
    await withOurs(async (link) => {
      expect(await ourRead(link, 1, 100, 2)).toBe("no-reply");
      for (const address of [110, 120, 130]) expect(await ourRead(link, 1, address, 2)).toEqual([address, address + 1]);
      expect(slave.requests.map((request) => request.readUInt16BE(4))).toEqual([2, 3, 2, 2]);
      expect(link.stats().errors).toMatchObject({ timeout: 1, late: 1, crc: 0, mismatch: 0 });
    });
  });

  test("ours drops it when it comes while nothing is asked", async () => {
    slave.behaviour = (request, n) => (n === 0 ? [] : obedient(request, n));
    await withOurs(async (link) => {
      expect(await ourRead(link, 1, 100, 2)).toBe("no-reply");
      slave.send(answerTo(slave.requests[0] ?? Buffer.alloc(0)));
      await until(() => link.stats().errors.late === 1, "counted as late");
      expect(await ourRead(link, 1, 110, 2)).toEqual([110, 111]);
    });
  });
});

describe("a late reply of another length (case 2)", () => {
  test("bare modbus-serial fails an innocent request with a CRC error", async () => {
    slave.behaviour = firstAnswerLate();
    await withBare(async (client) => {
      expect(await bareRead(client, 100, 4)).toBe("Timed out");
      client.setTimeout(PATIENCE_MS);
      expect(await bareRead(client, 200, 2)).toMatch(/CRC error/);
    });
  });

  test("ours answers the innocent request", async () => {
    slave.behaviour = firstAnswerLate();
    await withOurs(async (link) => {
      expect(await ourRead(link, 1, 100, 4)).toBe("no-reply");
      expect(await ourRead(link, 1, 200, 2)).toEqual([200, 201]);
      expect(link.stats().errors).toMatchObject({ timeout: 1, crc: 0, late: 1 });
    });
  });
});

describe("a late reply of one unit whose payload looks like the header of another (case 3)", () => {
  // Registers 514 to 517 hold 02 02, 02 03, 02 04, 02 05: a header of unit 2 inside the answer of unit 1.
  test("bare modbus-serial fails the other unit with a CRC error", async () => {
    slave.behaviour = firstAnswerLate();
    await withBare(async (client) => {
      expect(await bareRead(client, 514, 4)).toBe("Timed out");
      client.setTimeout(PATIENCE_MS);
      client.setID(2);
      expect(await bareRead(client, 200, 4)).toMatch(/CRC error/);
    });
  });

  test("ours serves the other unit meanwhile and counts the late reply", async () => {
    slave.behaviour = firstAnswerLate();
    await withOurs(async (link) => {
      expect(await ourRead(link, 1, 514, 4)).toBe("no-reply");
      expect(await ourRead(link, 2, 200, 4)).toEqual([200, 201, 202, 203]);
      expect(link.stats().errors).toMatchObject({ timeout: 1, late: 1 });
    });
  });
});

describe("stray bytes before each reply (case 4)", () => {
  const noisy = () => (request: Buffer) => [
    { afterMs: 0, bytes: Buffer.concat([Buffer.from([1, 3, 0x99]), answerTo(request)]) },
  ];

  test("bare modbus-serial never resyncs", async () => {
    slave.behaviour = noisy();
    await withBare(async (client) => {
      for (let i = 0; i < 5; i++) expect(await bareRead(client, 100 + i, 2)).toMatch(/CRC error|Timed out/);
    });
  });

  test("ours slides to the good frame every time", async () => {
    slave.behaviour = noisy();
    await withOurs(async (link) => {
      for (let i = 0; i < 5; i++) expect(await ourRead(link, 1, 100 + i, 2)).toEqual([100 + i, 101 + i]);
      expect(link.stats().errors).toMatchObject({ timeout: 0, mismatch: 5 });
    }, rtuConfig(slave.path));
  });
});

describe("concurrent calls (case 5)", () => {
  test("bare modbus-serial crosses or loses answers", async () => {
    slave.behaviour = obedient;
    await withBare(async (client) => {
      const answers = await Promise.all([100, 200, 300].map((address) => bareRead(client, address, 2)));
      expect(answers).not.toEqual([
        [100, 101],
        [200, 201],
        [300, 301],
      ]);
    });
  });

  test("ours gives each caller its own answer, with one request on the line at a time", async () => {
    let unanswered = 0;
    let worst = 0;
    slave.behaviour = (request) => {
      worst = Math.max(worst, ++unanswered);
      clock.after(2.9, () => unanswered--);
      return [{ afterMs: 3, bytes: answerTo(request) }];
    };
    await withOurs(async (link) => {
      const addresses = Array.from({ length: 20 }, (_, i) => 100 * i);
      const answers = await Promise.all(addresses.map((address) => ourRead(link, 1 + (address % 3), address, 2)));
      expect(answers).toEqual(addresses.map((address) => [address, address + 1]));
      expect(worst).toBe(1);
    }, rtuConfig(slave.path));
  });
});

describe("writes after a time-out", () => {
  test("the late echo of another value is not the echo of this one", async () => {
    slave.behaviour = firstAnswerLate();
    await withOurs(async (link) => {
      const write = (value: number) =>
        link.transact(1, { fn: "write", address: 9, value }, { class: "command" }).then(
          () => "written",
          (error: { code: string; sent: boolean }) => `${error.code}${error.sent ? " (sent)" : ""}`,
        );
      expect(await write(1)).toBe("no-reply (sent)");
      expect(await write(2)).toBe("written");
      expect(link.stats().errors.late).toBe(1);
    });
  });

  test("a write of several registers that a late echo would fit is asked only after another question", async () => {
    slave.behaviour = firstAnswerLate();
    await withOurs(async (link) => {
      const write = (values: number[]) =>
        link.transact(1, { fn: "write-many", address: 9, values }, { class: "command" });
      await expect(write([1, 2])).rejects.toMatchObject({ code: "no-reply", sent: true });
      await write([3, 4]);
      expect(slave.requests.map((request) => request[1])).toEqual([16, 3, 16]);
    });
  });

  test("a stop that a late echo would fit goes out at once and is believed after two echoes", async () => {
    const lost = withCrcOf([1, 16, 0, 9, 0, 1]);
    slave.behaviour = (request, n) => (n === 0 ? [] : [{ afterMs: 0, bytes: n === 1 ? lost : answerTo(request) }]);
    await withOurs(async (link) => {
      const write = (value: number, name: "stop" | "command") =>
        link.transact(1, { fn: "write-many", address: 9, values: [value] }, { class: name });
      await expect(write(15, "command")).rejects.toMatchObject({ code: "no-reply" });
      await write(2, "stop");
      expect(slave.requests.map((request) => request.readUInt16BE(7))).toEqual([15, 2, 2]);
    });
  });

  test("a late exception is not taken for the refusal of the next write", async () => {
    const refusal = withCrcOf([1, 0x86, 4]);
    slave.behaviour = (request, n) =>
      n === 0
        ? []
        : [
            { afterMs: 0, bytes: refusal },
            { afterMs: 10, bytes: answerTo(request) },
          ];
    await withOurs(async (link) => {
      const write = (value: number) => link.transact(1, { fn: "write", address: 9, value }, { class: "command" });
      await expect(write(1)).rejects.toMatchObject({ code: "no-reply" });
      await write(2);
    });
  });
});
