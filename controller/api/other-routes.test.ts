import { expect, it, onTestFinished } from "vitest";
import { ControllerRig, type RigOptions } from "../testing/controller-rig.ts";

async function ready(options: RigOptions = {}): Promise<ControllerRig> {
  const started = await ControllerRig.start(options);
  onTestFinished(() => started.kill());
  return started.ready();
}

it("refuses to cancel what has been sent, with 409 already-dispatched", async () => {
  const box = await ready();
  const { body } = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "MoveAbsolute", position: 5 } });
  await box.until(() => (box.bridge?.orders.length ?? 0) > 0);
  const answer = await box.ask("DELETE", `/v1/commands/${body.commandId}`);
  expect([answer.status, answer.body.type, answer.body.commandId]).toEqual([
    409,
    "/problems/already-dispatched",
    body.commandId,
  ]);
});

it("does not know a command that nobody gave", async () => {
  const box = await ready();
  for (const id of ["0199aaaa-0000-7000-8000-000000000000", "nonsense"]) {
    const answer = await box.ask("DELETE", `/v1/commands/${id}`);
    expect([answer.status, answer.body.type]).toEqual([404, "/problems/not-found"]);
  }
});

it("reconciles an axis whose outcome is open, and refuses where there is nothing to reconcile", async () => {
  const box = await ready();
  const { bridge } = box;
  const problem = { slug: "bus-timeout", detail: "no answer", remedy: "look" } as const;
  if (bridge)
    bridge.onOrder = ({ orderId, commandId, axis }) => {
      const of = { commandId, axis, atUs: 1, problem, frames: [] };
      bridge.report({ ...of, type: "order-unknown", orderId });
      bridge.report({ ...of, type: "order-unsettled" });
    };
  const move = { body: { type: "MoveAbsolute", position: 5 }, headers: { prefer: "wait=5" } };
  const moved = await box.ask("POST", "/v1/axes/x1/commands", move);
  expect(moved.body).toMatchObject({ state: "indeterminate", outcomeUnknown: false, settled: null });
  const refused = await box.ask("POST", "/v1/axes/x1/commands", move);
  expect([refused.status, refused.body.type]).toEqual([409, "/problems/reconcile-required"]);
  const bad = await box.ask("POST", "/v1/axes/x1/reconcile", { body: { decision: "adapt" } });
  expect([bad.status, bad.body.errors?.[0]?.pointer]).toEqual([400, "/decision"]);
  const answer = await box.ask("POST", "/v1/axes/x1/reconcile", { body: { decision: "adopt" } });
  expect([answer.status, answer.body]).toMatchObject([
    200,
    { axis: "x1", decision: "adopt", reconcileRequired: false },
  ]);
  const again = await box.ask("POST", "/v1/axes/x1/reconcile", { body: { decision: "adopt" } });
  expect([again.status, again.body.type]).toEqual([409, "/problems/axis-not-ready"]);
});

it("records who acknowledged and who shelved an alarm on the box stream", async () => {
  const box = await ready();
  box.bridge?.report({ type: "link-status", link: "line_a" as never, up: false, reason: "unplugged", atUs: 1 });
  await box.until(async () => (await box.events("link-line_a")).length > 0);
  const alarm = (await box.events("link-line_a"))[0]?.id;
  expect((await box.ask("POST", `/v1/alarms/${alarm}/acknowledge`)).status).toBe(200);
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const shelved = await box.ask("POST", `/v1/alarms/${alarm}/shelve`, { body: { until, reason: "cable ordered" } });
  expect([shelved.status, shelved.body]).toMatchObject([200, { alarm, logPosition: expect.any(String) }]);
  const late = { body: { until: "2020-01-01T00:00:00Z", reason: "never" } };
  const refused = await box.ask("POST", `/v1/alarms/${alarm}/shelve`, late);
  expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, "/until"]);
  expect((await box.ask("POST", "/v1/alarms/none/acknowledge", { body: {} })).status).toBe(404);
  const kinds = (await box.events("box-test_box")).map(({ type }) => type);
  expect(kinds.slice(-2)).toEqual(["AlarmAcknowledged", "AlarmShelved"]);
});

it("is alive at once and ready when every axis was read", async () => {
  const box = await ControllerRig.start({ bridge: null });
  onTestFinished(() => box.kill());
  expect((await box.ask("GET", "/livez")).body).toEqual({ status: "alive" });
  expect((await box.ask("GET", "/readyz")).body).toMatchObject({ status: "not-ready", reason: "no firmware bridge" });
  const early = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "Enable" } });
  expect([early.status, early.body.type, early.headers["retry-after"]]).toEqual([
    503,
    "/problems/service-unavailable",
    "1",
  ]);
  box.newBridge();
  await box.ready();
});
