import { logPosition } from "@servofleet/contracts";
import { Check } from "typebox/value";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Rig, startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { accepted, LogBuilder, testFleet } from "../testing/recorded-events.ts";
import { RESPONSES, type SchemaName } from "./response-schema.ts";

const MOVE = "0199aaaa-0000-7000-8000-000000000001";
const REFUSED = "0199aaaa-0000-7000-8000-000000000002";
let log: LogBuilder;
let source: MemoryLogSource;
let rig: Rig;

beforeEach(async () => {
  log = new LogBuilder();
  log.configured(testFleet());
  log.add("link-line_a", "LinkWentUp", {});
  log.move(MOVE, 120.5);
  const problem = {
    slug: "soft-limit",
    detail: "position 900 mm is beyond max 800 mm",
    remedy: "ask for 0 to 800 mm",
  } as const;
  const { commandType, request, principal, fingerprint } = accepted(900);
  log.add(
    "axis-x2",
    "CommandRejected",
    { commandType, request, principal, fingerprint, problem },
    { commandId: REFUSED },
  );
  log.add("axis-x1", "FaultRaised", { fault: { code: "0x0E0", name: "Over current", remedy: "check the cable" } });
  source = new MemoryLogSource(log.events);
  rig = await startRig(source, {
    telemetry: {
      read: async (_axis, fromUs, toUs, points) =>
        points > 2
          ? {
              kind: "samples",
              items: [{ atUs: fromUs, position: 1, velocity: null, followingError: 0, torque: 2, temperature: null }],
            }
          : {
              kind: "buckets",
              items: [
                {
                  fromUs,
                  toUs,
                  count: 9,
                  position: { min: 0, max: 2, mean: 1 },
                  velocity: null,
                  followingError: null,
                  torque: null,
                  temperature: null,
                },
              ],
            },
      newestBlackBox: async (_axis, fromUs) => ({
        kind: "samples",
        items: [{ atUs: fromUs, position: 7, velocity: 1, followingError: 0, torque: 2, temperature: null }],
      }),
      usage: async () => ({ usedBytes: 1000, fileBytes: 4096, budgetBytes: 8192, lostSamples: 3 }),
    },
  });
});
afterEach(() => rig.close());

const shaped = (name: SchemaName, body: unknown) => expect(Check(RESPONSES[name], body), `shape ${name}`).toBe(true);

describe("commands", () => {
  it("tells the story of a command in the shape of the contract", async () => {
    const { body, headers } = await rig.get(`/v1/commands/${MOVE}`);
    shaped("Command", body);
    expect(Object.keys(body)).toEqual(
      "commandId axis type request state outcomeUnknown settled principal target finalError problem reason transitions frames".split(
        " ",
      ),
    );
    expect(body).toMatchObject({
      commandId: MOVE,
      axis: "x1",
      type: "MoveAbsolute",
      state: "succeeded",
      principal: "local",
    });
    expect(body).toMatchObject({
      request: { position: 120.5 },
      target: 120.5,
      finalError: -0.01,
      problem: null,
      settled: null,
    });
    const states = body.transitions.map((step: { state: string }) => step.state);
    expect(states).toEqual(["accepted", "dispatched", "acknowledged", "moving", "succeeded"]);
    expect(body.transitions[0]).toEqual({
      state: "accepted",
      at: "2026-11-21T10:15:00.030000Z",
      logPosition: "L.3",
      eventId: log.events[2]?.id,
    });
    expect(body.frames.map((frame: { direction: string }) => frame.direction)).toEqual(["tx", "rx"]);
    expect(headers["x-position"]).toBe(`L.${log.events.length}`);
  });

  it("shows a decided refusal with its problem", async () => {
    const { body } = await rig.get(`/v1/commands/${REFUSED}`);
    expect(body).toMatchObject({ state: "rejected", axis: "x2", transitions: [{ state: "rejected" }] });
    expect(body.problem).toMatchObject({
      type: "/problems/soft-limit",
      status: 422,
      commandId: REFUSED,
      instance: `/v1/commands/${REFUSED}`,
    });
  });

  it("shows it as it was while it moved", async () => {
    const { body, headers } = await rig.get(`/v1/commands/${MOVE}?atPosition=L.7`);
    expect(body.state).toBe("moving");
    expect(headers["x-position"]).toBe("L.7");
    expect((await rig.get(`/v1/commands/${MOVE}?atPosition=2`)).status).toBe(404);
    expect((await rig.get("/v1/commands?atPosition=7")).body.items[0].state).toBe("moving");
  });

  it("lists newest first, filtered and paged", async () => {
    const ids = async (query: string) =>
      (await rig.get(`/v1/commands${query}`)).body.items.map((item: { commandId: string }) => item.commandId);
    shaped("CommandList", (await rig.get("/v1/commands")).body);
    expect(await ids("")).toEqual([REFUSED, MOVE]);
    expect(await ids("?axis=x1")).toEqual([MOVE]);
    expect(await ids("?state=rejected")).toEqual([REFUSED]);
    expect(await ids("?since=2026-11-21T10:15:00.100000Z")).toEqual([REFUSED]);
    const { nextCursor } = (await rig.get("/v1/commands?limit=1")).body;
    expect(await ids(`?limit=1&cursor=${nextCursor}`)).toEqual([MOVE]);
    expect((await rig.get("/v1/commands?state=done")).body.errors[0]).toMatchObject({ pointer: "/state" });
    expect((await rig.get("/v1/commands?cursor=zzz")).status).toBe(400);
  });

  it("shows an unknown outcome until it is settled, and never changes the end", async () => {
    const commandId = "0199aaaa-0000-7000-8000-000000000003";
    const place = { commandId };
    const problem = { slug: "bus-timeout", detail: "no answer after 40 ms", remedy: "wait" } as const;
    source.append(
      log.add("axis-x1", "MoveAccepted", accepted(5), place),
      log.add("axis-x1", "DispatchStarted", { orderId: "o", stopGeneration: 0, targetCounts: 500 }, place),
      log.add("axis-x1", "DispatchUnknown", { orderId: "o", problem, frames: [] }, place),
    );
    const read = async () =>
      (await rig.get(`/v1/commands/${commandId}?minPosition=L.${log.events.length}&waitMs=10000`)).body;
    expect(await read()).toMatchObject({ state: "dispatched", outcomeUnknown: true });
    source.append(log.add("axis-x1", "CommandIndeterminate", { reason: "silent", frames: [] }, place));
    expect(await read()).toMatchObject({ state: "indeterminate", outcomeUnknown: false, settled: null });
    source.append(log.add("axis-x1", "OutcomeSettled", { settled: "adopt" }, place));
    expect(await read()).toMatchObject({ state: "indeterminate", outcomeUnknown: false, settled: "adopt" });
  });
});

describe("links, groups, alarms, telemetry and events", () => {
  it("keeps the shape of a link with and without live figures", async () => {
    const { body } = await rig.get("/v1/links");
    shaped("LinkList", body);
    expect(Object.keys(body.items[0])).toEqual(
      "id kind state since load budget transactionsPerS pollStretch groupStart errors units".split(" "),
    );
    expect(body.items[0]).toMatchObject({
      id: "line_a",
      kind: "modbus-rtu",
      state: "up",
      load: null,
      since: "2026-11-21T10:15:00.020000Z",
    });
    expect(body.items[0].units).toEqual([
      { unit: 3, axis: "x1", breaker: "closed", lastReplyAt: null },
      { unit: 4, axis: "x2", breaker: "open", lastReplyAt: null },
    ]);
    expect((await rig.get("/v1/links/cell_2")).body).toMatchObject({ state: "down" });
    expect((await rig.get("/v1/links/none")).body).toMatchObject({ status: 404, remedy: "one of line_a, cell_2" });
    expect((await rig.get("/v1/groups")).body).toEqual({
      items: [{ id: "gantry", axes: ["x1", "x2"] }],
      nextCursor: null,
    });
  });

  it("raises an alarm with the fault, keeps it after it was cleared, and knows it at any position", async () => {
    const { body } = await rig.get("/v1/alarms");
    shaped("AlarmList", body);
    expect(body.items).toMatchObject([
      { kind: "drive-fault", source: "x1", state: "active", message: "Over current (0x0E0)", clearedAt: null },
    ]);
    const fault = { code: "0x0E0", name: "Over current", remedy: "check the cable" };
    source.append(
      log.add("box-press_line_1", "AlarmAcknowledged", { alarm: body.items[0].id, principal: "local" }),
      log.add("axis-x1", "FaultCleared", { fault }),
    );
    const later = (await rig.get(`/v1/alarms?minPosition=L.${log.events.length}&waitMs=10000`)).body.items;
    expect(later).toMatchObject([{ state: "cleared", acknowledgedBy: "local" }]);
    const between = (await rig.get(`/v1/alarms?atPosition=${log.events.length - 1}&state=acknowledged`)).body.items;
    expect(between).toHaveLength(1);
  });

  it("answers samples, or buckets when there are more than points", async () => {
    const path = "/v1/axes/x1/telemetry?from=2026-11-21T10:15:00Z&to=2026-11-21T10:16:00Z";
    const samples = (await rig.get(path)).body;
    shaped("Telemetry", samples);
    expect(samples).toMatchObject({ kind: "samples", items: [{ at: "2026-11-21T10:15:00.000000Z", position: 1 }] });
    const buckets = (await rig.get(`${path}&points=2`)).body;
    shaped("Telemetry", buckets);
    expect(buckets.items[0].position).toEqual({ min: 0, max: 2, mean: 1 });
    expect((await rig.get("/v1/axes/x1/telemetry?from=2026-11-21T10:15:00Z&to=2026-11-21T10:14:00Z")).status).toBe(400);
    expect((await rig.get("/v1/axes/zz/telemetry")).status).toBe(404);
  });

  it("answers the samples around the newest fault of a stretch of time", async () => {
    const { body, status } = await rig.get("/v1/axes/x1/black-box?from=2026-11-21T10:15:00Z&to=2026-11-21T10:16:00Z");
    expect(status).toBe(200);
    shaped("Telemetry", body);
    expect(body).toMatchObject({ kind: "samples", items: [{ at: "2026-11-21T10:15:00.000000Z", position: 7 }] });
    expect((await rig.get("/v1/axes/zz/black-box")).status).toBe(404);
  });

  it("lists events as CloudEvents, filtered, with a cursor that goes on", async () => {
    const all = (await rig.get("/v1/events")).body;
    shaped("EventList", all);
    expect(all.nextCursor).toBeNull();
    expect(Object.keys(all.items[2])).toEqual(
      "specversion id source type subject time datacontenttype logposition streamversion epoch commandid correlationid causationid actor traceparent data".split(
        " ",
      ),
    );
    expect(all.items[2]).toMatchObject({
      source: "/boxes/press_line_1",
      type: "servofleet.MoveAccepted.v1",
      subject: "axis-x1",
      logposition: "L.3",
      streamversion: 1,
      commandid: MOVE,
    });
    const faults = (await rig.get("/v1/events?type=FaultRaised,servofleet.LinkWentUp.v1")).body.items;
    expect(faults.map((event: { logposition: string }) => event.logposition)).toEqual([
      "L.2",
      `L.${log.events.length}`,
    ]);
    const first = (await rig.get("/v1/events?limit=4&axis=x1")).body;
    const rest = (await rig.get(`/v1/events?axis=x1&cursor=${first.nextCursor}`)).body;
    const positions = [...first.items, ...rest.items].map((event) => event.logposition);
    expect(positions).toEqual(
      log.events.filter((e) => e.stream === "axis-x1").map((e) => logPosition("L", e.position)),
    );
    expect((await rig.get("/v1/events?type=Nonsense")).status).toBe(400);
    expect((await rig.get("/v1/events?afterPosition=M.3")).body.errors[0].pointer).toBe("/afterPosition");
  });
});

describe("waiting for a position", () => {
  it("answers as soon as the read model has it", async () => {
    const wanted = log.events.length + 1;
    const waiting = rig.get(`/v1/axes/x1?minPosition=L.${wanted}&waitMs=10000`);
    source.append(log.state({ state: "disabled" }));
    const { status, body, headers } = await waiting;
    expect(status).toBe(200);
    expect(body.state).toBe("disabled");
    expect(headers["x-position"]).toBe(`L.${wanted}`);
  });

  it("says read-model-behind when it does not come, and refuses positions of another log and endless waits", async () => {
    const behind = await rig.get("/v1/axes?minPosition=L.999&waitMs=1");
    expect(behind.status).toBe(503);
    expect(behind.body.type).toBe("/problems/read-model-behind");
    expect(behind.headers["retry-after"]).toBe("1");
    expect((await rig.get("/v1/axes?minPosition=OTHER.1")).body).toMatchObject({
      status: 400,
      errors: [{ pointer: "/minPosition" }],
    });
    expect((await rig.get("/v1/axes?minPosition=L.1&waitMs=999999")).status).toBe(400);
    expect((await rig.get("/v1/axes?minPosition=7")).status).toBe(400);
  });
});

describe("health, documents and what does not exist", () => {
  it("is alive, ready and measured", async () => {
    expect((await rig.get("/livez")).status).toBe(200);
    expect((await rig.get("/readyz")).body).toEqual({ status: "ready" });
    const verbose = (await rig.get("/readyz?verbose")).body;
    expect(verbose.checks.map((check: { name: string }) => check.name)).toContain("projection axes");
    const { text } = await rig.get("/metrics");
    expect(text).toContain('servofleet_projection_position{projection="axes"} 12');
    expect(text).toContain("servofleet_alarms_active 1");
    expect(text).toContain("servofleet_sse_clients 0");
    expect(text).toContain("servofleet_telemetry_used_bytes 1000");
    expect(text).toContain("servofleet_telemetry_budget_bytes 8192");
    expect(text).toContain("servofleet_telemetry_lost_samples 3");
  });

  it("describes every read and every write of this version in OpenAPI, and nothing of a later one", async () => {
    const { body } = await rig.get("/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    const paths = Object.keys(body.paths);
    for (const path of [
      "/v1/axes",
      "/v1/axes/{axis}",
      "/v1/commands/{id}",
      "/v1/stop",
      "/v1/axes/{axis}/commands",
      "/v1/live",
      "/livez",
      "/readyz",
      "/metrics",
      "/problems/{slug}",
    ])
      expect(paths).toContain(path);
    expect(paths).toContain("/v1/programs/{program}/runs");
    expect(paths.filter((path) => /users/.test(path))).toEqual([]);
    expect(Object.keys(body.paths["/v1/commands/{id}"])).toEqual(["get", "delete"]);
    for (const [, name] of JSON.stringify(body).matchAll(/"#\/components\/schemas\/([A-Za-z]+)"/g))
      expect(Object.keys(body.components.schemas)).toContain(name);
    const ids = Object.values(body.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
      (methods) => Object.values(methods).map((operation) => operation.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    const { body: events } = await rig.get("/asyncapi.json");
    expect(Object.keys(events.components.messages)).toContain("MoveAccepted");
    const docs = await rig.get("/docs");
    expect(docs.text).toContain("/v1/axes/{axis}/commands");
    expect(docs.text).not.toMatch(/src=|https?:\/\//);
  });

  it("serves every problem as a page for people and as JSON for programs", async () => {
    const page = await rig.get("/problems/soft-limit", { accept: "text/html" });
    expect(page.headers["content-type"]).toContain("text/html");
    expect(page.text).toContain("What to do");
    const { body } = await rig.get("/problems/soft-limit", { accept: "application/json" });
    expect(Object.keys(body)).toEqual(["type", "title", "status", "means", "doThis"]);
    expect((await rig.get("/problems/none")).status).toBe(404);
  });

  it("answers 404 for what is not there yet and 405 for a wrong method", async () => {
    for (const path of ["/v1/runs/x", "/v1/programs", "/v1/leases", "/v1/jog/x", "/v1/users", "/nothing"]) {
      const { status, headers, body } = await rig.get(path);
      expect(status).toBe(404);
      expect(headers["content-type"]).toContain("application/problem+json");
      expect(body.type).toBe("/problems/not-found");
    }
    const wrong = await rig.get("/v1/axes", {}, "PUT");
    expect(wrong.status).toBe(405);
    expect(wrong.headers["allow"]).toBe("GET, HEAD");
    expect((await rig.get("/v1/axes/x1", {}, "HEAD")).headers["etag"]).toBeDefined();
  });
});
