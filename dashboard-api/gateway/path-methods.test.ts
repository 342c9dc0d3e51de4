import { afterEach, beforeEach, expect, test } from "vitest";
import { type Rig, startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";
import { methodsOf, wrongMethod } from "./path-methods.ts";

let rig: Rig;
beforeEach(async () => {
  const log = new LogBuilder();
  log.configured(testFleet());
  rig = await startRig(new MemoryLogSource(log.events));
});
afterEach(() => rig.close());

test("every path of the OpenAPI document is known with just its methods", async () => {
  const { body } = await rig.get("/openapi.json");
  for (const [path, operations] of Object.entries<object>(body.paths)) {
    const known = methodsOf(path.replaceAll(/[{}]/g, "x")).filter((method) => method !== "HEAD");
    expect([path, known.map((method) => method.toLowerCase())]).toEqual([path, Object.keys(operations)]);
  }
});

test.each([
  ["GET", "/v1/stop", "POST"],
  ["GET", "/v1/axes/x1/commands", "POST"],
  ["PUT", "/v1/axes", "GET, HEAD"],
  ["PATCH", "/v1/commands/0199", "GET, HEAD, DELETE"],
  ["HEAD", "/v1/events/stream", "GET"],
  ["POST", "/openapi.json", "GET, HEAD"],
  ["PUT", "/v1/runs", "GET, HEAD"],
  ["DELETE", "/v1/programs", "GET, HEAD, POST"],
  ["DELETE", "/", "GET, HEAD"],
])("%s %s is told the methods there are", (method, path, allow) => {
  expect(wrongMethod(method, path)).toMatchObject({ allow, facts: { slug: "method-not-allowed" } });
});

test.each([
  ["POST", "/v1/axes/x1/stop"],
  ["POST", "/v1/axes/x1/stop/"],
  ["GET", "/v1/axes/x1"],
  ["DELETE", "/v1/commands/0199"],
  ["PUT", "/v1/users"],
  ["GET", "/openapiXjson"],
])("%s %s goes on", (method, path) => {
  expect(wrongMethod(method, path)).toBeUndefined();
});
