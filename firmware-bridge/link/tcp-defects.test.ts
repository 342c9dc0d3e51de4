import modbusSerial from "modbus-serial";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { clock, openLink, PATIENCE_MS, REPLY_WAIT_MS, tcpConfig, until } from "./testing/link-bench.ts";
import { mbap, polite, rightAnswer, TcpTestServer } from "./testing/tcp-server.ts";

/* As rtu-defects.test.ts: bare modbus-serial's wrong behaviour is asserted as such, then ours on the same server. */
type Bare = InstanceType<typeof modbusSerial.default>;

let server: TcpTestServer;
beforeEach(async () => {
  server = await TcpTestServer.start();
});
afterEach(() => server.close());

async function withBare<T>(use: (client: Bare) => Promise<T>, timeoutMs: number | null = 100): Promise<T> {
  const client = new modbusSerial.default();
  await client.connectTCP("127.0.0.1", { port: server.port });
  if (timeoutMs !== null) client.setTimeout(timeoutMs);
  client.setID(1);
  server.requests.length = 0;
  try {
    return await use(client);
  } finally {
    // Closing a client whose connection is gone never calls back.
    if (client.isOpen) await new Promise<void>((resolve) => client.close(() => resolve()));
  }
}

async function withOurs<T>(use: (link: Link) => Promise<T>, config = tcpConfig(server.port)): Promise<T> {
  const link = await openLink(config);
  server.requests.length = 0;
  try {
    return await use(link);
  } finally {
    await link.close();
  }
}

const bareRead = (client: Bare, address: number, quantity = 1) =>
  client.readHoldingRegisters(address, quantity).then(
    (result) => result.data,
    (error: { message: string }) => error.message,
  );
const ourRead = (link: Link, address: number, quantity = 1, unit = 1) =>
  link.transact(unit, { fn: "read", address, quantity }, { class: "poll" }).then(
    (done) => done.registers,
    (error: { code: string }) => error.code,
  );

describe("more requests than transaction ids (case 13)", () => {
  const addresses = Array.from({ length: 300 }, (_, i) => i);

  test("bare modbus-serial fails or crosses answers of 300 parallel requests", async () => {
    await withBare(async (client) => {
      const answers = await Promise.all(addresses.map((address) => bareRead(client, address)));
      const wrong = answers.filter((answer, address) => !(Array.isArray(answer) && answer[0] === address));
      expect(wrong.length).toBeGreaterThan(0);
    });
  });

  test("bare modbus-serial takes a very late answer once its ids have come round", async () => {
    await withBare(async (client) => {
      server.behaviour = () => undefined;
      expect(await bareRead(client, 7777)).toBe("Timed out");
      const lost = server.requests[0];
      server.behaviour = polite;
      for (let i = 0; i < 255; i++) await bareRead(client, i);
      // The ghost arrives before the right answer, under an id that is in use again.
      server.behaviour = (request, socket) => {
        if (lost) socket.write(rightAnswer(lost));
        socket.write(rightAnswer(request));
      };
      const answers = [await bareRead(client, 5), await bareRead(client, 6), await bareRead(client, 7)];
      expect(answers).toContainEqual([7777]);
    });
  });

  test("ours answers 300 parallel requests rightly and drops the very late answer", async () => {
    await withOurs(
      async (link) => {
        expect(await Promise.all(addresses.map((address) => ourRead(link, address)))).toEqual(
          addresses.map((a) => [a]),
        );
        server.behaviour = () => undefined;
        expect(await ourRead(link, 7777)).toBe("no-reply");
        const lost = server.requests.at(-1);
        server.behaviour = polite;
        for (let i = 0; i < 255; i++) await ourRead(link, i);
        server.behaviour = (request, socket) => {
          if (lost) socket.write(rightAnswer(lost));
          socket.write(rightAnswer(request));
        };
        for (let i = 5; i < 9; i++) expect(await ourRead(link, i)).toEqual([i]);
        expect(link.stats().errors.late).toBe(4);
      },
      tcpConfig(server.port, REPLY_WAIT_MS),
    );
  });
});

test("a late answer is dropped and the next answers are right (case 14, where bare modbus-serial is right as well)", async () => {
  let held: Buffer | undefined;
  server.behaviour = (request, socket, n) => {
    if (n === 0) held = rightAnswer(request);
    else socket.write(Buffer.concat([...(n === 1 && held ? [held] : []), rightAnswer(request)]));
  };
  const expected = ["x", [11], [12]];
  await withBare(async (client) => {
    expect(await bareRead(client, 10)).toBe("Timed out");
    client.setTimeout(PATIENCE_MS);
    expect([await bareRead(client, 11), await bareRead(client, 12)]).toEqual(expected.slice(1));
  });
  await withOurs(
    async (link) => {
      expect(await ourRead(link, 10)).toBe("no-reply");
      expect([await ourRead(link, 11), await ourRead(link, 12)]).toEqual(expected.slice(1));
      expect(link.stats().errors.late).toBe(1);
    },
    tcpConfig(server.port, REPLY_WAIT_MS),
  );
});

describe("a header that cannot be right (case 15)", () => {
  const garbage = Buffer.from([0, 1, 0, 0, 0xff, 0xff, 1, 3]);

  test("bare modbus-serial is deaf from then on", async () => {
    server.behaviour = (request, socket, n) => void socket.write(n === 0 ? garbage : rightAnswer(request));
    await withBare(async (client) => {
      for (let i = 0; i < 4; i++) expect(await bareRead(client, i)).toBe("Timed out");
    });
  });

  test.each([
    ["a length of 65535", garbage],
    ["a length of 1", Buffer.from([0, 1, 0, 0, 0, 1, 1])],
    ["a foreign protocol id", Buffer.from([0, 1, 0, 7, 0, 5, 1, 3, 2, 0, 0])],
  ])("ours closes the connection at %s and works on a fresh one", async (_name, bytes) => {
    server.behaviour = (request, socket, n) => void socket.write(n === 0 ? bytes : rightAnswer(request));
    await withOurs(async (link) => {
      expect(await ourRead(link, 1)).toBe("link-lost");
      expect(link.up).toBe(false);
      await until(() => link.up, "connected again");
      expect(await ourRead(link, 2)).toEqual([2]);
      expect(server.sockets.length).toBe(2);
    });
  });
});

describe("a reset connection (case 16)", () => {
  test("bare modbus-serial reports neither close nor error", async () => {
    const seen: string[] = [];
    await withBare(async (client) => {
      client.on("close", () => seen.push("close"));
      client.on("error", () => seen.push("error"));
      await bareRead(client, 1);
      server.sockets[0]?.resetAndDestroy();
      await until(() => !client.isOpen, "the port knows that it is closed");
      await new Promise<void>((resolve) => clock.soon(resolve));
      expect(seen).toEqual([]);
    });
  });

  test("ours fails the request under way at once, says that it is down, and reconnects", async () => {
    server.behaviour = (_request, socket) => void socket.resetAndDestroy();
    await withOurs(async (link) => {
      const states: boolean[] = [];
      link.onState((up) => states.push(up));
      const write = link.transact(1, { fn: "write", address: 1, value: 1 }, { class: "command" });
      await expect(write).rejects.toMatchObject({ code: "link-lost", sent: true });
      server.behaviour = polite;
      await until(() => link.up, "connected again");
      expect(states).toEqual([false, true]);
      expect(await ourRead(link, 3)).toEqual([3]);
    });
  });
});

describe("a closed connection (case 17)", () => {
  test("bare modbus-serial never settles the request under way", async () => {
    await withBare(async (client) => {
      server.behaviour = (_request, socket) => void socket.end();
      let settled = false;
      const closed = new Promise<void>((resolve) => client.on("close", () => resolve()));
      void bareRead(client, 1).then(() => {
        settled = true;
      });
      await closed;
      for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => clock.soon(resolve));
      expect(settled).toBe(false);
    }, null);
  });

  test("ours settles it at once, and all that wait behind it as not sent", async () => {
    await withOurs(async (link) => {
      server.behaviour = (_request, socket) => void socket.end();
      const codes = await Promise.all([1, 2, 3].map((address) => ourRead(link, address)));
      expect(codes).toEqual(["link-lost", "link-down", "link-down"]);
    });
  });
});

describe("the stream", () => {
  test("answers in single bytes and answers glued together are read", async () => {
    server.behaviour = (request, socket) => {
      for (const byte of rightAnswer(request)) socket.write(Uint8Array.of(byte));
    };
    await withOurs(async (link) => {
      expect(await ourRead(link, 40, 5)).toEqual([40, 41, 42, 43, 44]);
      server.behaviour = (request, socket) => {
        const answer = rightAnswer(request);
        socket.write(Buffer.concat([mbap((request.id - 1) & 0xffff, 1, [3, 2, 9, 9]), answer, answer]));
      };
      expect(await ourRead(link, 50)).toEqual([50]);
      expect(await ourRead(link, 51)).toEqual([51]);
      expect(link.stats().errors.late).toBeGreaterThanOrEqual(3);
    });
  });

  test("the right id with a foreign unit, function or byte count is no answer", async () => {
    const wrong = [
      (id: number) => mbap(id, 2, [3, 2, 0, 1]),
      (id: number) => mbap(id, 1, [4, 2, 0, 1]),
      (id: number) => mbap(id, 1, [3, 4, 0, 1, 0, 2]),
      (id: number) => mbap(id, 1, [0x83]),
    ];
    await withOurs(
      async (link) => {
        for (const make of wrong) {
          server.behaviour = (request, socket) => void socket.write(make(request.id));
          expect(await ourRead(link, 1)).toBe("no-reply");
          server.behaviour = polite;
          expect(await ourRead(link, 1)).toEqual([1]);
        }
        expect(link.stats().errors.mismatch).toBe(4);
      },
      tcpConfig(server.port, REPLY_WAIT_MS),
    );
  });

  test("an exception is a refusal of the drive", async () => {
    server.behaviour = ({ id, unit, pdu }, socket) => void socket.write(mbap(id, unit, [(pdu[0] ?? 0) | 0x80, 2]));
    await withOurs(async (link) => {
      const read = link.transact(1, { fn: "read", address: 9, quantity: 1 }, { class: "poll" });
      await expect(read).rejects.toMatchObject({ code: "exception", facts: { exceptionCode: 2 } });
      expect(link.breaker(1)).toBe("closed");
    });
  });

  test("a peer that is gone without a word is noticed by silence and connected to again", async () => {
    await withOurs(
      async (link) => {
        expect(await ourRead(link, 3)).toEqual([3]);
        server.behaviour = () => undefined;
        const codes = new Set<unknown>();
        while (link.up) {
          await link
            .transact(1, { fn: "write", address: 1, value: 1 }, { class: "command" })
            .catch((error: { code: string }) => codes.add(error.code));
        }
        expect([...codes]).toEqual(["no-reply"]);
        expect(link.downReason).toMatch(/in a row/);
        server.behaviour = polite;
        await until(() => link.up, "connected again");
        await until(() => link.breaker(1) === "closed", "the unit answered a probe");
        expect(await ourRead(link, 4)).toEqual([4]);
      },
      tcpConfig(server.port, REPLY_WAIT_MS),
    );
  });
});

test("a drive that never answers behind a living socket does not make the connection flap", async () => {
  server.behaviour = () => undefined;
  await withOurs(
    async (link) => {
      for (let i = 0; i < 8; i++) {
        const write = link.transact(1, { fn: "write", address: 1, value: i }, { class: "command" });
        await expect(write).rejects.toMatchObject({ code: "no-reply" });
      }
      expect(link.up).toBe(true);
      expect(server.sockets.length).toBe(1);
    },
    tcpConfig(server.port, REPLY_WAIT_MS),
  );
});

test("a port where nobody listens keeps the link down with the reason, and it comes up when somebody does", async () => {
  const { port } = server;
  await server.close();
  const { createLink } = await import("./create-link.ts");
  const { random } = await import("./testing/link-bench.ts");
  const log = { info: () => undefined, warn: () => undefined };
  const link = createLink(tcpConfig(port), { clock, random, units: [], log });
  link.open();
  await until(() => link.downReason?.includes("ECONNREFUSED") === true, "refused");
  expect(await ourRead(link, 1)).toBe("link-down");
  server = await TcpTestServer.start(polite, port);
  await until(() => link.up, "connected");
  expect(await ourRead(link, 1)).toEqual([1]);
  await link.close();
  expect(await ourRead(link, 1)).toBe("closed");
});
