import { expect, it, onTestFinished } from "vitest";
import { ControllerRig, type Reply, type RigOptions } from "../testing/controller-rig.ts";

async function ready(options: RigOptions = {}): Promise<ControllerRig> {
  const started = await ControllerRig.start(options);
  onTestFinished(() => started.kill());
  return started.ready();
}
const MOVE = { type: "MoveAbsolute", position: 10 };
const post = (box: ControllerRig, body: unknown, headers: Record<string, string> = {}, axis = "x1"): Promise<Reply> =>
  box.ask("POST", `/v1/axes/${axis}/commands`, { body, headers });

function expectProblem(answer: Reply, status: number, slug: string): void {
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect({ status: answer.status, type: answer.body.type }).toEqual({ status, type: `/problems/${slug}` });
  expect(answer.body).toMatchObject({
    status,
    title: expect.any(String),
    detail: expect.any(String),
    instance: expect.stringMatching(/^\//),
    remedy: expect.any(String),
    errors: expect.any(Array),
  });
  expect(answer.text).not.toMatch(/\.ts|node_modules|at .*:\d+:\d+/);
}

it("waits for the end under Prefer: wait and answers 200 with the whole command", async () => {
  const box = await ready();
  const answer = await post(box, { ...MOVE, velocity: 80 }, { prefer: "wait=5" });
  expect(answer.status).toBe(200);
  expect(answer.headers["preference-applied"]).toBe("wait=5");
  const { commandId } = answer.body;
  expect(answer.body).toMatchObject({
    commandId,
    axis: "x1",
    type: "MoveAbsolute",
    request: { position: 10, velocity: 80 },
    state: "succeeded",
    outcomeUnknown: false,
    settled: null,
    principal: "local",
    target: 10,
    finalError: 0,
    problem: null,
    frames: [{ direction: "tx", at: expect.any(String), hex: "0310" }],
  });
  const transitions = answer.body["transitions"] as { state: string; logPosition: string; eventId: string }[];
  expect(transitions.map(({ state }) => state)).toEqual(["accepted", "dispatched", "acknowledged", "succeeded"]);
  expect(transitions[0]?.eventId).toBe(commandId);
});

it("answers 202 when the command has not ended within the wait", async () => {
  const box = await ready();
  if (box.bridge) box.bridge.onOrder = (order) => box.bridge?.move(order);
  const answer = await post(box, MOVE, { prefer: "respond-async, wait=0" });
  expect(answer.status).toBe(202);
  expect(answer.headers["preference-applied"]).toBe("wait=0");
});

it("gives a failed command its problem inside under Prefer: wait", async () => {
  const box = await ready();
  const { bridge } = box;
  if (bridge)
    bridge.onOrder = ({ commandId, axis }) =>
      bridge.report({
        type: "order-failed",
        commandId,
        axis,
        atUs: 1,
        problem: { slug: "drive-exception", detail: "exception 3", remedy: "read the manual" },
        positionCounts: null,
        frames: [],
      });
  const answer = await post(box, MOVE, { prefer: "wait=5" });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    state: "failed",
    problem: { type: "/problems/drive-exception", status: 502, commandId: answer.body.commandId },
  });
});

it("gives the same answer to the same key, and decides once for requests at the same time", async () => {
  const box = await ready();
  const headers = { "idempotency-key": "once" };
  const [a, b, c] = await Promise.all([post(box, MOVE, headers), post(box, MOVE, headers), post(box, MOVE, headers)]);
  const later = await post(box, MOVE, headers);
  for (const answer of [b, c, later]) {
    expect(answer?.status).toBe(202);
    expect(answer?.body).toEqual(a?.body);
    expect(answer?.headers["location"]).toBe(a?.headers["location"]);
  }
  const replayed = [a, b, c, later].map((answer) => answer?.headers["idempotency-replayed"]);
  expect(replayed.filter((flag) => flag === "true")).toHaveLength(3);
  await box.until(() => (box.bridge?.orders.length ?? 0) > 0);
  expect((await box.events()).filter(({ type }) => type === "MoveAccepted")).toHaveLength(1);
});

it("refuses another request under a used key with 422 and records nothing", async () => {
  const box = await ready();
  const headers = { "idempotency-key": "once" };
  await post(box, MOVE, headers);
  expectProblem(await post(box, { ...MOVE, position: 11 }, headers), 422, "idempotency-key-reused");
  expectProblem(await post(box, MOVE, headers, "x2"), 422, "idempotency-key-reused");
});

it("takes bodies that mean the same for the same request", async () => {
  const box = await ready();
  const headers = { "idempotency-key": "k" };
  const first = await post(box, { type: "MoveAbsolute", position: 10, velocity: 5 }, headers);
  const again = await box.ask("POST", "/v1/axes/x1/commands", {
    raw: '{ "velocity": 5.0, "position": 1e1, "type": "MoveAbsolute" }',
    headers,
  });
  expect(again.body).toEqual(first.body);
  expect(again.headers["idempotency-replayed"]).toBe("true");
});

it("records a decided refusal and replays it, also after a restart", async () => {
  const first = await ready();
  const headers = { "idempotency-key": "too-far" };
  const refused = await post(first, { type: "MoveAbsolute", position: 900 }, headers);
  expectProblem(refused, 422, "soft-limit");
  expect(refused.body.instance).toBe(`/v1/commands/${refused.body.commandId}`);
  expect(refused.body.errors).toEqual([{ pointer: "/position", detail: expect.stringContaining("800") }]);
  const replayed = await post(first, { type: "MoveAbsolute", position: 900 }, headers);
  expect(replayed.body).toEqual(refused.body);
  expect(replayed.headers["idempotency-replayed"]).toBe("true");
  await first.end();
  const second = await ControllerRig.start({ directory: first.directory });
  onTestFinished(() => second.end());
  const afterwards = await post(second, { type: "MoveAbsolute", position: 900 }, headers);
  expect(afterwards.body).toEqual(refused.body);
  expect(afterwards.headers["idempotency-replayed"]).toBe("true");
});

it("replays an acceptance from the log after a restart and sends nothing again", async () => {
  const first = await ready();
  const headers = { "idempotency-key": "go" };
  const accepted = await post(first, MOVE, headers);
  await first.until(async () => (await first.events()).some(({ type }) => type === "CommandSucceeded"));
  await first.end();
  const second = await ControllerRig.start({ directory: first.directory, bridge: { bridgeBoot: "bridge-9" } });
  onTestFinished(() => second.end());
  await second.ready();
  const again = await post(second, MOVE, headers);
  expect(again.status).toBe(202);
  expect(again.body).toEqual(accepted.body);
  expect(second.bridge?.orders).toEqual([]);
});

it("refuses with 412 when the axis is at another version and names the right one", async () => {
  const box = await ready();
  const refused = await post(box, MOVE, { "if-match": '"1"' });
  expectProblem(refused, 412, "version-mismatch");
  const version = String(refused.headers["etag"]);
  expect(refused.body.remedy).toContain("If-Match");
  expect(version).toMatch(/^"\d+"$/);
  expect((await post(box, { type: "Enable" }, { "if-match": version }, "x2")).status).not.toBe(400);
  expectProblem(await post(box, MOVE, { "if-match": "W/broken" }), 400, "validation-error");
});

it("stores a traceparent with the decision and ignores a broken one", async () => {
  const box = await ready();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const { body } = await post(box, MOVE, { traceparent });
  expect((await box.log.findById(String(body.commandId)))?.traceparent).toBe(traceparent);
  const other = await post(box, MOVE, { traceparent: "00-nonsense" });
  expect(other.status).toBe(202);
  expect((await box.log.findById(String(other.body.commandId)))?.traceparent).toBeNull();
});

it("points at every wrong field of a body at once", async () => {
  const box = await ready();
  const answer = await post(box, { type: "MoveAbsolute", position: "far", velocty: 3, ttlMs: null });
  expectProblem(answer, 400, "validation-error");
  const errors = answer.body.errors ?? [];
  expect(errors.map(({ pointer }) => pointer).sort()).toEqual(["/position", "/ttlMs", "/velocty"]);
  expect(errors.find(({ pointer }) => pointer === "/velocty")?.detail).toContain('did you mean "velocity"?');
  expect(answer.body.commandId).toBeUndefined();
});

it("says which command was probably meant", async () => {
  const box = await ready();
  const answer = await post(box, { type: "MoveAbsolut", position: 1 });
  expectProblem(answer, 400, "validation-error");
  expect(answer.body.errors).toEqual([
    { pointer: "/type", detail: expect.stringContaining('did you mean "MoveAbsolute"?') },
  ]);
});

it.each([
  ["no object", '"MoveAbsolute"', "validation-error", 400],
  ["an array", "[]", "validation-error", 400],
  ["null", "null", "validation-error", 400],
  ["broken JSON", '{"type":', "validation-error", 400],
  ["nothing", "", "validation-error", 400],
  ["a number beyond double", '{"type":"MoveAbsolute","position":1e999}', "validation-error", 400],
  ["a poisoned prototype", '{"type":"Enable","__proto__":{"x":1}}', "validation-error", 400],
  ["a missing field", '{"type":"MoveAbsolute"}', "validation-error", 400],
  ["a foreign field", '{"type":"Enable","now":true}', "validation-error", 400],
  ["too much", `{"type":"Enable","pad":"${"x".repeat(70_000)}"}`, "payload-too-large", 413],
  ["a time to start out of range", '{"type":"Enable","ttlMs":5}', "ttl-out-of-range", 422],
])("refuses a body with %s", async (_name, raw, slug, status) => {
  const box = await ready();
  expectProblem(await box.ask("POST", "/v1/axes/x1/commands", { raw }), status, slug);
});

it("says of a broken body that it is not JSON", async () => {
  const box = await ready();
  const { body } = await box.ask("POST", "/v1/axes/x1/commands", { raw: '{"type":' });
  expect(body).toMatchObject({ detail: "the body is not JSON", errors: [{ pointer: "", detail: "not JSON" }] });
});

it("says which field of a body stands there twice, and guesses neither", async () => {
  const box = await ready();
  const raw = '{"type":"MoveAbsolute","position":1,"position":2}';
  const { status, body } = await box.ask("POST", "/v1/axes/x1/commands", { raw });
  expect(status).toBe(400);
  expect(body).toMatchObject({ type: "/problems/validation-error", errors: [{ pointer: "/position" }] });
});

it("refuses what is not JSON with 415", async () => {
  const box = await ready();
  const headers = { "content-type": "text/plain" };
  expectProblem(
    await box.ask("POST", "/v1/axes/x1/commands", { raw: "Enable", headers }),
    415,
    "unsupported-media-type",
  );
});

it("names the known axes when one is unknown, the paths' methods, and what is nowhere", async () => {
  const box = await ready();
  const unknown = await post(box, MOVE, {}, "x9");
  expectProblem(unknown, 404, "not-found");
  expect(unknown.body.remedy).toContain("x1, x2, z1");
  const wrong = await box.ask("PUT", "/v1/axes/x1/commands", { raw: "{" });
  expectProblem(wrong, 405, "method-not-allowed");
  expect(wrong.headers["allow"]).toBe("POST");
  for (const path of ["/v1/nothing", "/v1/users", "/v1/programs/none/runs", "/%zz"]) {
    const { status } = await box.ask("POST", path, { body: {} });
    expect([path, status]).toEqual([path, path === "/%zz" ? 400 : 404]);
  }
});

it.each(["", "a\tb", "x".repeat(256), "ключ"])("refuses the odd key %j", async (key) => {
  const box = await ready();
  const answer = await post(box, MOVE, { "idempotency-key": Buffer.from(key).toString("latin1") });
  expectProblem(answer, 400, "validation-error");
});

it("does not record what was not decided: the same key may be used again", async () => {
  const box = await ready();
  const headers = { "idempotency-key": "k" };
  expectProblem(await post(box, { type: "MoveAbsolut" }, headers), 400, "validation-error");
  expect((await post(box, MOVE, headers)).status).toBe(202);
});

it("takes every command of this version in the body that API.md names", async () => {
  const box = await ready({ bridge: { found: { enabled: true, homed: true, positionCounts: 1000 } } });
  const bodies = [
    { type: "Enable" },
    { type: "Home" },
    { type: "MoveAbsolute", position: 10, velocity: 80, acceleration: 500, deceleration: 400, ttlMs: 5000 },
    { type: "MoveRelative", distance: -1, velocity: 80, acceleration: 500 },
    { type: "MoveVelocity", velocity: -3, acceleration: 5, deceleration: 5 },
    { type: "Halt", deceleration: 5 },
    { type: "SetPosition", position: 0 },
    { type: "WriteParameter", parameter: "positionGain", value: 3 },
    { type: "Reset" },
    { type: "Disable" },
  ];
  for (const body of bodies) {
    const answer = await post(box, body, { prefer: "wait=5" });
    expect([body.type, answer.status, answer.body["state"]]).toEqual([body.type, 200, "succeeded"]);
  }
});
