import type { JogView } from "@servofleet/contracts";
import { expect, it, onTestFinished } from "vitest";
import { ControllerRig, type Reply, type RigOptions } from "../testing/controller-rig.ts";

async function ready(options: RigOptions = {}): Promise<ControllerRig> {
  const started = await ControllerRig.start(options);
  onTestFinished(() => started.kill());
  const box = await started.ready();
  if (box.bridge) box.bridge.onOrder = (order) => box.bridge?.move(order);
  return box;
}
const press = (box: ControllerRig, body: object = { direction: 1, velocity: 5 }, headers = {}) =>
  box.ask("POST", "/v1/axes/x1/jog", { body, headers });
const beat = (box: ControllerRig, { id, seq, challenge }: JogView) =>
  box.ask("PUT", `/v1/jog/${id}`, { body: { seq: seq + 1, challenge } });
const view = (reply: Reply) => reply.body as unknown as JogView;
const beats = (box: ControllerRig) => box.bridge?.heard.filter(({ type }) => type === "jog-beat") ?? [];

it("is a move towards the soft limit that the bridge is told to hold, under a lease of its own", async () => {
  const box = await ready();
  const opened = await press(box);
  expect(opened).toMatchObject({
    status: 201,
    body: { axis: "x1", direction: 1, velocity: 5, target: 800, windowMs: 250, beatMs: 100, seq: 0 },
  });
  expect(opened.headers["location"]).toBe(`/v1/jog/${view(opened).id}`);
  await box.until(() => box.bridge?.orders.length === 1);
  expect(box.bridge?.orders[0]).toMatchObject({
    commandId: view(opened).commandId,
    hold: { session: view(opened).id, windowMs: 250 },
    action: { kind: "move-absolute", targetCounts: 80_000, velocity: 500 },
  });
  const stranger = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "MoveAbsolute", position: 1 } });
  expect(stranger.status).toBe(423);
  const downwards = await press(box, { direction: -1, velocity: 5 });
  expect(downwards.status).toBe(409);
});

it("passes each beat on once: a repeated, an older and a foreign one hold nothing", async () => {
  const box = await ready();
  const first = view(await press(box));
  const second = await beat(box, first);
  expect(second).toMatchObject({ status: 200, body: { seq: 1 } });
  expect(view(second).challenge).not.toBe(first.challenge);
  const replayed = await beat(box, first);
  const foreign = await beat(box, { ...view(second), challenge: "0".repeat(16) });
  const older = await beat(box, { ...view(second), seq: -1 + 0 });
  expect([replayed.status, foreign.status]).toEqual([403, 403]);
  expect([400, 403]).toContain(older.status);
  expect((await beat(box, view(second))).status).toBe(200);
  expect(beats(box)).toHaveLength(2);
});

it("lets go on DELETE, gives the axis back and says afterwards that it is over", async () => {
  const box = await ready();
  const opened = view(await press(box));
  await box.until(() => box.bridge?.orders.length === 1);
  expect((await box.ask("DELETE", `/v1/jog/${opened.id}`)).status).toBe(204);
  expect(beats(box)).toMatchObject([{ session: opened.id, released: true }]);
  const late = await beat(box, opened);
  expect({ status: late.status, type: late.body.type }).toEqual({ status: 410, type: "/problems/jog-ended" });
  expect(late.body.detail).toContain("let go");
  expect((await box.ask("DELETE", "/v1/jog/nobody")).status).toBe(404);
  expect((await box.ask("GET", "/v1/leases")).body["items"]).toEqual([]);
});

it("ends with its command, whatever ended it", async () => {
  const box = await ready();
  const opened = view(await press(box));
  await box.until(() => box.bridge?.orders.length === 1);
  await box.ask("POST", "/v1/axes/x1/stop");
  await box.until(async () => (await beat(box, opened)).status === 410);
  expect((await box.ask("GET", "/v1/leases")).body["items"]).toEqual([]);
});

it("works under the caller's own lease and leaves it where it was", async () => {
  const box = await ready();
  const granted = await box.ask("POST", "/v1/leases", { body: { axes: ["x1"] } });
  expect((await press(box)).status).toBe(423);
  const headers = { "lease-token": String(granted.body["token"]) };
  const opened = await press(box, { direction: -1, velocity: 5 }, headers);
  expect(opened).toMatchObject({ status: 201, body: { target: 0 } });
  await box.ask("DELETE", `/v1/jog/${view(opened).id}`);
  expect((await box.ask("GET", "/v1/leases")).body["items"]).toMatchObject([{ id: granted.body["id"] }]);
});

it("never sends a jog that was let go before its order left", async () => {
  const box = await ready();
  const opened = await press(box);
  const gone = await box.ask("DELETE", `/v1/jog/${view(opened).id}`);
  expect(gone.status).toBe(204);
  const [order] = box.bridge?.orders ?? [];
  const fence = box.bridge?.heard.findLast(({ type }) => type === "authority");
  // Whichever came first: the bridge knows a newer authority than the order's, and refuses it or halts it.
  expect(fence?.type === "authority" && fence.leaseSequence).toBeGreaterThan(order?.leaseSequence ?? 0);
});

it("needs a homed axis, a direction and a velocity within the limits", async () => {
  const box = await ready({ bridge: { found: { enabled: true, homed: false } } });
  const unhomed = await press(box);
  expect({ status: unhomed.status, type: unhomed.body.type }).toEqual({
    status: 409,
    type: "/problems/axis-not-ready",
  });
  const homed = await ready();
  expect((await press(homed, { direction: 2, velocity: 5 })).status).toBe(400);
  expect((await press(homed, { direction: 1, velocity: 5000 })).status).toBe(422);
  expect((await homed.ask("GET", "/v1/leases")).body["items"]).toEqual([]);
});
