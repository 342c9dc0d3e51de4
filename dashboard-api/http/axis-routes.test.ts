import { afterEach, describe, expect, it } from "vitest";
import { type Rig, startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

function fleetLog(): LogBuilder {
  const log = new LogBuilder();
  log.configured(testFleet());
  log.state({ position: 0 });
  log.move("0199aaaa-0000-7000-8000-000000000001", 120.5);
  return log;
}

describe("GET /v1/axes", () => {
  it("shows an axis in the shape of the contract, field by field", async () => {
    const log = fleetLog();
    rig = await startRig(new MemoryLogSource(log.events));
    const { status, body, headers } = await rig.get("/v1/axes/x1");
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(
      "id link unit profile unitName state stopLatched homed reconcileRequired measured commanded sent acknowledged fault currentCommand version asOf ageMs quality".split(
        " ",
      ),
    );
    expect(Object.keys(body.measured)).toEqual("position velocity torque temperature at ageMs quality".split(" "));
    expect(body).toMatchObject({ id: "x1", link: "line_a", unit: 3, profile: "leadshine-icl-rs", unitName: "mm" });
    expect(body).toMatchObject({
      state: "standstill",
      stopLatched: false,
      homed: true,
      fault: null,
      currentCommand: null,
    });
    expect(body.commanded.position).toBe(120.5);
    expect(body.sent.position).toBe(120.5);
    expect(body.acknowledged.position).toBe(120.5);
    expect(Object.keys(body.commanded)).toEqual(["position", "at", "ageMs"]);
    expect(body.version).toBe(log.events.filter((event) => event.stream === "axis-x1").length);
    expect(headers["etag"]).toBe(`"${body.version}"`);
    expect(headers["x-position"]).toBe(`L.${log.events.length}`);
    expect(headers["x-lag-ms"]).toBe("0");
  });

  it("lists the fleet in the order of its configuration, page by page", async () => {
    rig = await startRig(new MemoryLogSource(fleetLog().events));
    const first = await rig.get("/v1/axes?limit=2");
    expect(first.body.items.map((axis: { id: string }) => axis.id)).toEqual(["x1", "x2"]);
    const second = await rig.get(`/v1/axes?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.items.map((axis: { id: string }) => axis.id)).toEqual(["r1"]);
    expect(second.body.nextCursor).toBeNull();
  });

  it("answers an unknown axis with the axes there are, and a misspelt parameter with its name", async () => {
    rig = await startRig(new MemoryLogSource(fleetLog().events));
    const unknown = await rig.get("/v1/axes/x9");
    expect(unknown.status).toBe(404);
    expect(unknown.headers["content-type"]).toContain("application/problem+json");
    expect(unknown.body).toMatchObject({
      type: "/problems/not-found",
      remedy: "one of x1, x2, r1",
      instance: "/v1/axes/x9",
    });
    const misspelt = await rig.get("/v1/axes?limt=2");
    expect(misspelt.status).toBe(400);
    expect(misspelt.body.errors).toEqual([{ pointer: "/limt", detail: "unknown parameter" }]);
    expect((await rig.get("/v1/axes?limit=0")).body.errors[0].pointer).toBe("/limit");
  });

  it("says uncertain for a position that only the log knows, and null for what nobody knows", async () => {
    rig = await startRig(new MemoryLogSource(fleetLog().events));
    const { measured } = (await rig.get("/v1/axes/x1")).body;
    expect(measured).toMatchObject({ position: 120.49, velocity: null, torque: null, quality: "uncertain" });
    expect(measured.ageMs).toBeGreaterThanOrEqual(0);
    const never = (await rig.get("/v1/axes/x2")).body;
    expect(never.measured).toMatchObject({ position: null, at: null, ageMs: null, quality: "bad" });
    expect(never).toMatchObject({ state: "offline", commanded: null, sent: null, acknowledged: null, version: 0 });
  });

  it("shows the fleet as it was at any position", async () => {
    const log = fleetLog();
    rig = await startRig(new MemoryLogSource(log.events));
    const moving = await rig.get("/v1/axes/x1?atPosition=8");
    expect(moving.body).toMatchObject({ state: "discrete-motion", sent: { position: 120.5 } });
    expect(moving.headers["x-position"]).toBe("L.8");
    const byTime = await rig.get(`/v1/axes?at=2026-11-21T10:15:00.080000Z`);
    expect(byTime.headers["x-position"]).toBe("L.8");
    expect(byTime.body.items[0]).toEqual(moving.body);
    expect((await rig.get("/v1/axes?at=2020-01-01T00:00:00Z")).body.items).toEqual([]);
  });
});
