import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, it, onTestFinished } from "vitest";
import { ControllerRig, type Reply, type RigOptions } from "../testing/controller-rig.ts";

async function ready(options: RigOptions = {}): Promise<ControllerRig> {
  const started = await ControllerRig.start(options);
  onTestFinished(() => started.kill());
  return started.ready();
}
const MOVE = { type: "MoveAbsolute", position: 10 };
const lease = (box: ControllerRig, body: object = { axes: ["x1"] }) => box.ask("POST", "/v1/leases", { body });
const move = (box: ControllerRig, token?: unknown, body: object = MOVE, axis = "x1"): Promise<Reply> =>
  box.ask("POST", `/v1/axes/${axis}/commands`, {
    body,
    headers: { prefer: "wait=5", ...(token === undefined ? {} : { "lease-token": String(token) }) },
  });
const bearing = (granted: Reply) => ({ headers: { "lease-token": String(granted.body["token"]) } });
const slug = ({ status, body }: Reply) => ({ status, type: body.type });
const LEASED = { status: 423, type: "/problems/axis-leased" };

it("lets only the holder move a leased axis, and anybody halt and stop it", async () => {
  const box = await ready();
  const granted = await lease(box, { axes: ["x1"], purpose: "tool change", ttlMs: 60_000 });
  expect(granted).toMatchObject({
    status: 201,
    body: { axes: ["x1"], principal: "local", purpose: "tool change", onLapse: "halt", token: expect.any(String) },
  });
  expect(granted.headers["location"]).toBe(`/v1/leases/${granted.body["id"]}`);
  const refused = await move(box);
  expect(slug(refused)).toEqual(LEASED);
  expect(refused.body.detail).toContain("tool change");
  expect(slug(await move(box, "0".repeat(32)))).toEqual(LEASED);
  expect(slug(await move(box, granted.body["token"], MOVE, "x2"))).toEqual(LEASED);
  expect((await move(box, granted.body["token"])).body["state"]).toBe("succeeded");
  expect((await move(box, undefined, { type: "Halt" })).status).toBe(200);
  expect((await box.ask("POST", "/v1/axes/x1/stop")).status).toBe(200);
  expect(box.bridge?.orders.filter(({ action }) => action.kind === "move-absolute")).toHaveLength(1);
});

it("records the refusal and answers it again", async () => {
  const box = await ready();
  await lease(box);
  const headers = { "idempotency-key": "k1" };
  const first = await box.ask("POST", "/v1/axes/x1/commands", { body: MOVE, headers });
  const again = await box.ask("POST", "/v1/axes/x1/commands", { body: MOVE, headers });
  expect(slug(again)).toEqual(LEASED);
  expect(again.headers["idempotency-replayed"]).toBe("true");
  expect(again.body.commandId).toBe(first.body.commandId);
});

it("gives one axis to one of many that ask, and tells the others who has it", async () => {
  const box = await ready();
  const answers = await Promise.all(Array.from({ length: 20 }, () => lease(box, { group: "gantry" })));
  const granted = answers.filter(({ status }) => status === 201);
  expect(granted).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 423)).toHaveLength(19);
  const { body } = await box.ask("GET", "/v1/leases");
  expect(body["items"]).toMatchObject([{ id: granted[0]?.body["id"], axes: ["x1", "x2"] }]);
  expect(JSON.stringify(body)).not.toContain(String(granted[0]?.body["token"]));
});

it("renews and gives back for the holder alone", async () => {
  const box = await ready();
  const granted = await lease(box);
  const path = `/v1/leases/${granted.body["id"]}`;
  expect(slug(await box.ask("PUT", path))).toEqual({ status: 403, type: "/problems/forbidden" });
  expect(slug(await box.ask("DELETE", path))).toEqual({ status: 403, type: "/problems/forbidden" });
  expect((await box.ask("PUT", path, bearing(granted))).status).toBe(200);
  expect((await box.ask("DELETE", path, bearing(granted))).status).toBe(204);
  expect((await box.ask("GET", path)).status).toBe(404);
  expect((await box.ask("PUT", path, bearing(granted))).status).toBe(404);
  expect(slug(await move(box, granted.body["token"]))).toEqual(LEASED);
  expect((await move(box)).body["state"]).toBe("succeeded");
  expect((await box.events("box-test_box")).map(({ type }) => type)).toEqual(
    expect.arrayContaining(["LeaseGranted", "LeaseReturned"]),
  );
});

it.each(["alarm", "halt", "stop", "disable"])("does what was agreed when its holder is silent: %s", async (onLapse) => {
  // The lease must not lapse while the disk is still busy with the move.
  const box = await ready({ clock: new FakeClock() });
  if (box.bridge) {
    const { bridge } = box;
    bridge.onOrder = (order) => (order.action.kind === "move-absolute" ? bridge.move(order) : bridge.finish(order));
  }
  const granted = await lease(box, { axes: ["x1", "x2"], ttlMs: 500, onLapse });
  const headers = { "lease-token": String(granted.body["token"]) };
  await box.ask("POST", "/v1/axes/x1/commands", { body: MOVE, headers });
  await box.until(async () => (await box.events("box-test_box")).some(({ type }) => type === "LeaseLapsed"));
  const kinds = (axis: string) =>
    box.bridge?.orders.filter((order) => order.axis === axis).map(({ action }) => action.kind) ?? [];
  const stops = () => box.bridge?.stops.map((stop) => stop.axis) ?? [];
  if (onLapse === "halt") await box.until(() => kinds("x1").includes("halt"));
  if (onLapse === "stop") expect(stops()).toEqual(["x1"]);
  if (onLapse === "disable") {
    await box.until(() => kinds("x1").includes("disable"));
    expect(stops()).toEqual(["x1", "x2"]);
  }
  if (onLapse === "alarm") expect([...kinds("x1"), ...stops()]).toEqual(["move-absolute"]);
  // The one that stood still is left alone, but for a disable.
  if (onLapse !== "disable") expect(kinds("x2")).toEqual([]);
  expect((await box.ask("GET", "/v1/leases")).body["items"]).toEqual([]);
});

it("takes over by stopping first what moves, and leaves the old token without power", async () => {
  const box = await ready();
  if (box.bridge) box.bridge.onOrder = (order) => box.bridge?.move(order);
  const granted = await lease(box, { axes: ["x1", "x2"], ttlMs: 60_000 });
  const headers = { "lease-token": String(granted.body["token"]) };
  await box.ask("POST", "/v1/axes/x1/commands", { body: MOVE, headers });
  await box.until(() => box.bridge?.orders.length === 1);
  const path = `/v1/leases/${granted.body["id"]}/take`;
  expect((await box.ask("POST", path, { body: {} })).status).toBe(400);
  const taken = await box.ask("POST", path, { body: { reason: "the pallet is stuck" } });
  expect(taken).toMatchObject({ status: 201, body: { axes: ["x1", "x2"], purpose: "the pallet is stuck" } });
  expect(box.bridge?.stops.map(({ axis }) => axis)).toEqual(["x1"]);
  const told = box.bridge?.heard.map(({ type }) => type) ?? [];
  expect(told.indexOf("stop")).toBeLessThan(told.lastIndexOf("authority"));
  expect(slug(await box.ask("PUT", `/v1/leases/${granted.body["id"]}`, { headers }))).toMatchObject({ status: 404 });
  expect(slug(await move(box, granted.body["token"], { type: "Reset" }))).toEqual(LEASED);
  expect((await move(box, taken.body["token"], { type: "Reset" })).body["state"]).toBe("succeeded");
});

it("refuses what names no axis, an unknown axis or an impossible time, in words", async () => {
  const box = await ready();
  expect(slug(await lease(box, {}))).toEqual({ status: 400, type: "/problems/validation-error" });
  expect(slug(await lease(box, { axes: ["nobody"] }))).toEqual({ status: 404, type: "/problems/not-found" });
  expect(slug(await lease(box, { group: "nobody" }))).toEqual({ status: 404, type: "/problems/not-found" });
  expect(slug(await lease(box, { axes: ["x1"], ttlMs: 1 }))).toEqual({
    status: 400,
    type: "/problems/validation-error",
  });
  expect((await lease(box, { axes: ["x1"], onlapse: "stop" })).body.detail).toContain('did you mean "onLapse"?');
});
