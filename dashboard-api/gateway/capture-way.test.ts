import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import Fastify from "fastify";
import { afterEach, expect, test } from "vitest";
import { startGateway } from "./gateway.ts";

const directory = mkdtempSync(join(tmpdir(), "servofleet-capture-way-"));
const servers: Server[] = [];
let gateway: { address: string; close(): Promise<void> } | undefined;

afterEach(async () => {
  await gateway?.close();
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

/** A service that says who it is and what it was asked. */
async function named(name: string): Promise<string> {
  const path = join(directory, `${name}.sock`);
  const server = createServer((request, response) => response.end(`${name} ${request.method} ${request.url}`));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  servers.push(server);
  return path;
}

test("a capture is the controller's to answer, and every other read of a link the read side's", async () => {
  gateway = await startGateway({
    http: { host: "127.0.0.1", port: 0 },
    controllerSocket: await named("controller"),
    dashboardSocket: await named("dashboard"),
    pageDirectory: join(import.meta.dirname, "..", "page"),
    clock: systemClock(),
    random: systemRandom(),
    logger: Fastify({ logger: false }).log,
  });
  const { address } = gateway;
  const said = async (path: string) => (await fetch(address + path)).text();
  expect(await said("/v1/links/line_a/capture")).toBe("controller GET /v1/links/line_a/capture");
  expect(await said("/v1/links/line_a/capture?x=1")).toBe("controller GET /v1/links/line_a/capture?x=1");
  expect(await said("/v1/links/line_a")).toBe("dashboard GET /v1/links/line_a");
  expect(await said("/v1/links")).toBe("dashboard GET /v1/links");
});
