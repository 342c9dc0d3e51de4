import { mkdtempSync, rmSync } from "node:fs";
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@servofleet/runtime/clock";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import Fastify from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { COMMANDS_AT_ONCE } from "./command-turns.ts";
import { startGateway } from "./gateway.ts";

const logger = Fastify({ logger: false }).log;
const page = join(import.meta.dirname, "..", "page");
let directory: string;
let servers: Server[];
let gateway: { address: string; close(): Promise<void> };

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(name: string, handler: Handler): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(join(directory, name), resolve));
  servers.push(server);
  return server;
}

const start = (host = "127.0.0.1", clock: Clock = systemClock()) =>
  startGateway({
    http: { host, port: 0 },
    controllerSocket: join(directory, "c.sock"),
    dashboardSocket: join(directory, "d.sock"),
    pageDirectory: page,
    clock,
    random: systemRandom(),
    logger,
  });

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function ask(method: string, path: string, headers: Record<string, string> = {}, body = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      gateway.address + path,
      { method, headers: body ? { "content-type": "application/json", ...headers } : headers },
      (answer) => {
        let text = "";
        answer
          .on("data", (chunk: Buffer) => (text += chunk.toString()))
          .on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    outgoing.on("error", reject).end(body);
  });
}

const echo =
  (name: string): Handler =>
  (request, response) => {
    let body = "";
    request
      .on("data", (chunk: Buffer) => (body += chunk.toString()))
      .on("end", () => {
        response.setHeader("content-type", "application/json").end(
          JSON.stringify({
            name,
            method: request.method,
            url: request.url,
            key: request.headers["idempotency-key"] ?? null,
            body,
          }),
        );
      });
  };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gateway-"));
  servers = [];
});
afterEach(async () => {
  await gateway?.close();
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(directory, { recursive: true, force: true });
});

describe("the gateway", () => {
  test("writes go to the controller with a key of their own, reads to the read side", async () => {
    await serve("c.sock", echo("controller"));
    await serve("d.sock", echo("dashboard"));
    gateway = await start();
    const write = JSON.parse((await ask("POST", "/v1/axes/x1/commands?a=1", {}, '{"type":"Enable"}')).text);
    expect(write).toMatchObject({
      name: "controller",
      method: "POST",
      url: "/v1/axes/x1/commands?a=1",
      body: '{"type":"Enable"}',
    });
    expect(write.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse((await ask("POST", "/v1/axes/x1/commands", { "idempotency-key": "mine" }, "{}")).text).key).toBe(
      "mine",
    );
    expect(JSON.parse((await ask("GET", "/v1/axes?limit=2")).text)).toMatchObject({
      name: "dashboard",
      url: "/v1/axes?limit=2",
    });
    expect(JSON.parse((await ask("DELETE", "/v1/commands/1")).text)).toMatchObject({
      name: "controller",
      method: "DELETE",
    });
  });

  test("one dead service leaves the other working, and its own callers get a 503 problem that says what still works", async () => {
    await serve("d.sock", echo("dashboard"));
    gateway = await start();
    const refused = await ask("POST", "/v1/axes/x1/commands", {}, "{}");
    expect(refused.status).toBe(503);
    expect(refused.headers["content-type"]).toBe("application/problem+json");
    expect(refused.headers["retry-after"]).toBe("1");
    expect(JSON.parse(refused.text)).toMatchObject({
      type: "/problems/service-unavailable",
      status: 503,
      instance: "/v1/axes/x1/commands",
    });
    expect((await ask("GET", "/v1/axes")).status).toBe(200);
  });

  test("a breaker that opened lets the service back in by itself, and stops are tried even while it is open", async () => {
    gateway = await start();
    for (let i = 0; i < 6; i++) expect((await ask("POST", "/v1/axes/x1/commands", {}, "{}")).status).toBe(503);
    await serve("c.sock", echo("controller"));
    expect((await ask("POST", "/v1/stop")).status).toBe(200);
    await expect.poll(async () => (await ask("POST", "/v1/axes/x1/commands", {}, "{}")).status).toBe(200);
  });

  test("a foreign Host, a foreign Origin and a body that is not JSON never reach a service", async () => {
    let reached = 0;
    await serve("c.sock", (_request, response) => {
      reached += 1;
      response.end("{}");
    });
    gateway = await start();
    expect((await ask("POST", "/v1/stop", { host: "evil.example" })).status).toBe(403);
    expect((await ask("POST", "/v1/stop", { origin: "http://evil.example" })).status).toBe(403);
    expect((await ask("POST", "/v1/stop", { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await ask("POST", "/v1/axes/x1/commands", { "content-type": "text/plain" }, "{}")).status).toBe(415);
    expect(reached).toBe(0);
    expect((await ask("POST", "/v1/stop", { origin: gateway.address })).status).toBe(200);
  });

  test("a body too large is refused here and is no sign of a dead controller", async () => {
    let reached = 0;
    await serve("c.sock", (request, response) => {
      reached += 1;
      request.resume().on("end", () => response.end("{}"));
    });
    gateway = await start();
    const large = "x".repeat(5_000_000);
    for (let i = 0; i < 6; i++) {
      const refused = await ask("POST", "/v1/axes/x1/commands", { "content-length": String(large.length) }, large);
      expect(refused.status).toBe(413);
      expect(refused.headers.connection).toBe("close");
      expect(JSON.parse(refused.text)).toMatchObject({ type: "/problems/payload-too-large", status: 413 });
    }
    expect(reached).toBe(0);
    expect((await ask("POST", "/v1/axes/x1/commands", {}, "{}")).status).toBe(200);
  });

  test("commands beyond the client's share are refused with 429, stops never are", async () => {
    await serve("c.sock", (request, response) => request.resume().on("end", () => response.end("{}")));
    // Time stands still for the bucket: no token comes back while a slow host sends.
    gateway = await start("127.0.0.1", { ...systemClock(), monotonicMs: () => 1000 });
    const answers: Answer[] = [];
    for (let batch = 0; batch < 60 && !answers.some((answer) => answer.status === 429); batch++) {
      answers.push(
        ...(await Promise.all(Array.from({ length: 50 }, () => ask("POST", "/v1/axes/x1/commands", {}, "{}")))),
      );
    }
    const limited = answers.find((answer) => answer.status === 429);
    expect(JSON.parse(limited?.text ?? "{}")).toMatchObject({ type: "/problems/rate-limited", status: 429 });
    expect((await ask("POST", "/v1/stop")).status).toBe(200);
    expect((await ask("POST", "/v1/axes/x1/stop")).status).toBe(200);
  });

  test("a flood of commands reaches the controller a few at a time, and a stop passes them", async () => {
    let open = 0;
    let most = 0;
    const hold: (() => void)[] = [];
    await serve("c.sock", (request, response) => {
      request.resume();
      if (request.url === "/v1/stop") return void response.end("{}");
      open += 1;
      most = Math.max(most, open);
      hold.push(() => {
        open -= 1;
        response.end("{}");
      });
    });
    // Time stands still: nobody has waited too long for a turn on a host that looks away.
    gateway = await start("127.0.0.1", new FakeClock());
    const answers = Array.from({ length: 100 }, () => ask("POST", "/v1/axes/x1/commands", {}, "{}"));
    await expect.poll(() => hold.length).toBe(COMMANDS_AT_ONCE);
    expect((await ask("POST", "/v1/stop")).status).toBe(200);
    for (let served = 0; served < 100; served++) {
      await expect.poll(() => hold.length > 0).toBe(true);
      hold.shift()?.();
    }
    expect((await Promise.all(answers)).every((answer) => answer.status === 200)).toBe(true);
    expect(most).toBe(COMMANDS_AT_ONCE);
  });

  test("an event stream passes through piece by piece", async () => {
    let push: ((text: string) => void) | undefined;
    await serve("d.sock", (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("id: 1\n\n");
      push = (text) => response.write(text);
    });
    gateway = await start();
    const pieces: string[] = [];
    const stream = httpRequest(`${gateway.address}/v1/events/stream`, (answer) =>
      answer.on("data", (chunk: Buffer) => pieces.push(chunk.toString())).on("error", () => {}),
    );
    stream.on("error", () => {}).end();
    await expect.poll(() => pieces.join("")).toBe("id: 1\n\n");
    push?.("id: 2\n\n");
    await expect.poll(() => pieces.join("")).toBe("id: 1\n\nid: 2\n\n");
    stream.destroy();
  });

  test("what no route can read is a problem too: a method that is none, a path that is not one, a method that is wrong", async () => {
    await serve("d.sock", echo("dashboard"));
    gateway = await start();
    const raw = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(gateway.address).port), "127.0.0.1");
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString())).on("close", () => resolve(text));
      socket.write("FOO /v1/axes HTTP/1.1\r\nHost: localhost\r\n\r\n");
    });
    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
    expect(raw).toContain("application/problem+json");
    expect(JSON.parse(raw.split("\r\n\r\n")[1] ?? "")).toMatchObject({
      type: "/problems/validation-error",
      status: 400,
    });
    const path = await ask("GET", "/v1/axes/%zz");
    expect([path.status, path.headers["content-type"]]).toEqual([400, "application/problem+json"]);
    expect(JSON.parse(path.text)).toMatchObject({ type: "/problems/validation-error", instance: "/v1/axes/%zz" });
    const method = await ask("PUT", "/v1/axes");
    expect([method.status, method.headers.allow]).toEqual([405, "GET, HEAD"]);
    expect(JSON.parse(method.text)).toMatchObject({ type: "/problems/method-not-allowed" });
  });

  test("the page is served from the box with the plot library beside it", async () => {
    gateway = await start();
    expect((await ask("GET", "/")).headers["content-type"]).toContain("text/html");
    expect((await ask("GET", "/assets/uPlot.esm.js")).status).toBe(200);
    expect((await ask("GET", "/livez")).status).toBe(200);
  });

  test("it refuses to listen anywhere but on loopback, and says why", async () => {
    await expect(start("0.0.0.0")).rejects.toMatchObject({
      code: "not-loopback",
      hint: expect.stringContaining("no users yet"),
    });
    gateway = await start();
  });
});
