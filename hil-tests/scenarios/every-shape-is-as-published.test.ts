import { randomUUID } from "node:crypto";
import type { AcceptedView, AxisView, CloudEvent, CommandView, LinkView, Page } from "@servofleet/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readEvents } from "../box/event-reader.ts";
import { confirmedStop, resetAxis } from "../box/patient-asking.ts";
import { allEnded, readyAxis } from "../box/ready-axis.ts";
import { type Answer, type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import * as shape from "./published-shape.ts";

let box: RunningBox;
let story: CommandView;

beforeAll(async () => {
  box = await startBox();
  await readyAxis(box, "z1");
  story = await box.run("z1", { type: "MoveAbsolute", position: 45, velocity: 200 });
  // The story came from the controller: what is read below has to have it, too.
  for (const path of ["/v1/commands", "/v1/axes", "/v1/events"]) await box.read(path);
});
afterAll(() => box?.stop());

const post = (axis: string, body: unknown, headers: Record<string, string> = {}) =>
  box.call<AcceptedView>("POST", `/v1/axes/${axis}/commands`, body, headers);
const number = (logPosition: string) => Number(logPosition.split(".")[1]);

function expectShape(value: unknown, wanted: shape.Shape): void {
  expect(shape.differences(value, wanted), JSON.stringify(value).slice(0, 2000)).toEqual([]);
}

/** What every read carries. */
function expectRead(answer: Answer): void {
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  expect(answer.headers.get("x-position")).toSatisfy(shape.logPosition);
  expect(Number(answer.headers.get("x-lag-ms"))).toBeGreaterThanOrEqual(0);
  expect(answer.headers.get("x-lag-ms")).toMatch(/^\d+(\.\d+)?$/);
}

function expectProblem(answer: Answer, slug: string, status: number): void {
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.body).toSatisfy(shape.problem(slug, status));
}

describe("reads", () => {
  test.each([
    ["/v1/axes", shape.listOf(shape.axis), 8],
    ["/v1/groups", shape.listOf(shape.group), 2],
    ["/v1/links", shape.listOf(shape.link), 4],
    ["/v1/commands", shape.listOf(shape.command), 3],
    ["/v1/events", shape.listOf(shape.event), 10],
    ["/v1/alarms", shape.listOf(shape.anything), 0],
  ] as const)("%s is a list of the published shape", async (path, wanted, atLeast) => {
    const answer = await box.call<Page<unknown>>("GET", path);
    expectRead(answer);
    expectShape(answer.body, wanted);
    expect(answer.body.items.length).toBeGreaterThanOrEqual(atLeast);
  });

  test("one axis has the published shape, and its version as ETag", async () => {
    const answer = await box.call<AxisView>("GET", "/v1/axes/z1");
    expectRead(answer);
    expectShape(answer.body, shape.axis);
    expect(answer.headers.get("etag")).toBe(`"${answer.body.version}"`);
    expect(answer.body).toMatchObject({ id: "z1", link: "cell_1", unit: 255, unitName: "deg", homed: true });
  });

  test("one command has the published shape", async () => {
    const answer = await box.call<CommandView>("GET", `/v1/commands/${story.commandId}`);
    expectRead(answer);
    expectShape(answer.body, shape.command);
    expect(answer.body).toEqual(story);
  });

  test("one link has the published shape, with its figures", async () => {
    const path = "/v1/links/line_a";
    expectRead(await box.call("GET", path));
    const link = await until(
      "line_a has figures",
      async () => (await box.call<LinkView>("GET", path)).body,
      ({ load, transactionsPerS }) => load !== null && transactionsPerS !== null && transactionsPerS > 0,
    );
    expectShape(link, shape.link);
    expect(link).toMatchObject({ id: "line_a", kind: "modbus-rtu", state: "up" });
    expect(link.units.map(({ unit, axis }) => [unit, axis])).toEqual([
      [1, "x1"],
      [2, "x2"],
      [3, "x3"],
    ]);
    expect(link.budget.stopBoundMs).toBeGreaterThan(0);
    expect(link.load).toBeLessThanOrEqual(1);
  });

  test("commands are filtered by axis, state and time", async () => {
    const path = `/v1/commands?axis=z1&state=succeeded&since=${encodeURIComponent(story.transitions[0]!.at)}`;
    const { body } = await box.call<Page<CommandView>>("GET", path);
    expect(body.items.map(({ commandId }) => commandId)).toContain(story.commandId);
    for (const item of body.items) expect(item).toMatchObject({ axis: "z1", state: "succeeded" });
    const none = await box.call<Page<CommandView>>("GET", "/v1/commands?axis=z1&state=failed");
    expect(none.body.items).toEqual([]);
  });

  test("a list is read page by page with limit and cursor", async () => {
    const seen: string[] = [];
    let cursor: string | null = "";
    for (let page = 0; cursor !== null && page < 20; page++) {
      const at: string = `/v1/axes?limit=3${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;
      const { body }: Answer<Page<AxisView>> = await box.call<Page<AxisView>>("GET", at);
      expect(body.items.length).toBeLessThanOrEqual(3);
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    expect(seen.sort()).toEqual(["x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2"]);
  });

  test("telemetry is samples, or buckets when there are more samples than points", async () => {
    const to = new Date(Date.parse(story.transitions.at(-1)!.at) + 1000).toISOString();
    const path = `/v1/axes/z1/telemetry?from=${encodeURIComponent(story.transitions[0]!.at)}&to=${to}`;
    type Telemetry = { kind: string; items: unknown[] };
    const samples = await until(
      "the move is in the telemetry",
      () => box.call<Telemetry>("GET", `${path}&points=10000`),
      ({ body }) => body.items.length > 10,
    );
    expectRead(samples);
    const measured = shape.orNull(shape.figure);
    const frame = {
      axis: shape.oneOf("z1"),
      unitName: shape.oneOf("deg"),
      from: shape.time,
      to: shape.time,
      nextCursor: shape.oneOf(null),
    };
    const sample = { at: shape.time, position: shape.figure, velocity: measured, followingError: measured };
    expectShape(samples.body, {
      ...frame,
      kind: shape.oneOf("samples"),
      items: [{ ...sample, torque: measured, temperature: measured }],
    });
    const buckets = await box.call<Telemetry>("GET", `${path}&points=5`);
    const spread = shape.orNull({ min: shape.figure, max: shape.figure, mean: shape.figure });
    const spreads = { position: spread, velocity: spread, followingError: spread, torque: spread, temperature: spread };
    expectShape(buckets.body, {
      ...frame,
      kind: shape.oneOf("buckets"),
      items: [{ from: shape.time, to: shape.time, count: shape.count, ...spreads }],
    });
    expect(buckets.body.items.length).toBeLessThanOrEqual(5);
    expect(buckets.body.items.length).toBeGreaterThan(0);
  });

  test("minPosition waits for the read model, and says so when it is not there in time", async () => {
    const { body } = await post("x1", { type: "Disable" });
    const there = await box.call("GET", `/v1/axes/x1?minPosition=${body.logPosition}&waitMs=10000`);
    expectRead(there);
    expect(number(there.headers.get("x-position") ?? ".0")).toBeGreaterThanOrEqual(number(body.logPosition));
    const [logId, newest] = body.logPosition.split(".");
    const beyond = `${logId}.${Number(newest) + 1_000_000}`;
    expectProblem(await box.call("GET", `/v1/axes/x1?minPosition=${beyond}&waitMs=50`), "read-model-behind", 503);
    expectProblem(await box.call("GET", "/v1/axes/x1?minPosition=nonsense"), "validation-error", 400);
  });

  test("the past is read by position, exactly", async () => {
    const moving = story.transitions.find(({ state }) => state === "acknowledged");
    const answer = await box.call<AxisView>("GET", `/v1/axes/z1?atPosition=${moving?.logPosition}`);
    expectRead(answer);
    expectShape(answer.body, shape.axis);
    expect(answer.headers.get("x-position")).toBe(moving?.logPosition);
    expect(answer.body.currentCommand).toBe(story.commandId);
    expect(answer.body.commanded?.position).toBe(45);
    const first = story.transitions[0]!.logPosition;
    const then = await box.call<CommandView>("GET", `/v1/commands/${story.commandId}?atPosition=${first}`);
    expectShape(then.body, shape.command);
    expect(then.body.state).toBe("accepted");
    const before = `${first.split(".")[0]}.${number(first) - 1}`;
    expectProblem(await box.call("GET", `/v1/commands/${story.commandId}?atPosition=${before}`), "not-found", 404);
  });

  test("the past is read by time", async () => {
    // Facts of one commit may share a microsecond: the last of them is the state of that moment.
    const stateAt = (moment: string) => story.transitions.findLast((step) => step.at <= moment)?.state;
    const at = story.transitions.find(({ state }) => state === "acknowledged")!.at;
    const one = await box.call<AxisView>("GET", `/v1/axes/z1?at=${encodeURIComponent(at)}`);
    expectShape(one.body, shape.axis);
    expect(one.body.currentCommand).toBe(story.commandId);
    const all = await box.call<Page<AxisView>>("GET", `/v1/axes?at=${encodeURIComponent(at)}`);
    expectShape(all.body, shape.listOf(shape.axis));
    const commands = await box.call<Page<CommandView>>("GET", `/v1/commands?at=${encodeURIComponent(at)}`);
    expectShape(commands.body, shape.listOf(shape.command));
    expect(commands.body.items.find(({ commandId }) => commandId === story.commandId)?.state).toBe(stateAt(at));
    expectShape((await box.call("GET", `/v1/alarms?at=${encodeURIComponent(at)}`)).body, shape.listOf(shape.anything));
  });

  test("health, metrics, documents and the page are served", async () => {
    expect((await box.call("GET", "/livez")).status).toBe(200);
    expect((await box.call("GET", "/readyz")).body).toMatchObject({ status: "ready" });
    const metrics = await box.call<string>("GET", "/metrics");
    expect(metrics.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(metrics.body).toMatch(/^# (HELP|TYPE) /m);
    const openapi = await box.call<{ openapi: string; paths: object }>("GET", "/openapi.json");
    expect(openapi.body.openapi).toMatch(/^3\./);
    expect(Object.keys(openapi.body.paths)).toContain("/v1/runs/{id}");
    expect((await box.call<{ asyncapi: string }>("GET", "/asyncapi.json")).body.asyncapi).toMatch(/^\d/);
    for (const path of ["/docs", "/", "/problems/soft-limit"]) {
      const page = await box.call<string>("GET", path);
      expect(page.status, path).toBe(200);
      expect(page.headers.get("content-type"), path).toMatch(/^text\/html/);
    }
  });
});

describe("writes", () => {
  test("the same request under the same key is answered again and done once", async () => {
    await readyAxis(box, "z1");
    const headers = { "idempotency-key": randomUUID() };
    const body = { type: "MoveAbsolute", position: 50, velocity: 200 };
    const before = (await box.drive("z1")).record.at(-1)?.seq ?? 0;
    const first = await post("z1", body, headers);
    expect(first.status, JSON.stringify(first.body)).toBe(202);
    expectShape(first.body, shape.accepted);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    const again = await post("z1", body, headers);
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
    const [ended] = await allEnded(box, [first.body.commandId]);
    expect(ended?.state).toBe("succeeded");
    const late = await post("z1", body, headers);
    expect(late.headers.get("idempotency-replayed")).toBe("true");
    expect(late.body.commandId).toBe(first.body.commandId);
    const starts = (await box.drive("z1", before)).record.filter(({ kind }) => kind.startsWith("start"));
    expect(starts).toHaveLength(1);
    expectProblem(await post("z1", { ...body, position: 51 }, headers), "idempotency-key-reused", 422);
    expectProblem(await post("z2", body, headers), "idempotency-key-reused", 422);
  });

  test("a decided refusal is replayed too", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await post("z1", { type: "MoveAbsolute", position: 9000 }, headers);
    expectProblem(first, "soft-limit", 422);
    const again = await post("z1", { type: "MoveAbsolute", position: 9000 }, headers);
    expectProblem(again, "soft-limit", 422);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body).toEqual(first.body);
    const { commandId } = first.body;
    const kept = await until(
      "the refusal is readable as a command",
      () => box.call<CommandView>("GET", `/v1/commands/${commandId}`),
      ({ status }) => status === 200,
    );
    expectShape(kept.body, shape.command);
    expect(kept.body).toMatchObject({ state: "rejected", problem: { type: "/problems/soft-limit" } });
  });

  test("If-Match takes the newest version and refuses an older one", async () => {
    const axis = await readyAxis(box, "z1");
    const stale = { "if-match": `"${axis.version - 1}"` };
    const refused = await post("z1", { type: "Enable" }, stale);
    expectProblem(refused, "version-mismatch", 412);
    // The refusal itself is recorded in the axis's stream, so the answer names the version that counts now.
    const etag = refused.headers.get("etag") ?? "";
    await until(
      "the read side shows the version that the refusal named",
      async () => (await box.call("GET", "/v1/axes/z1")).headers.get("etag"),
      (shown) => shown === etag,
    );
    const fresh = await post("z1", { type: "Enable" }, { "if-match": etag });
    expect(fresh.status, JSON.stringify(fresh.body)).toBe(202);
    await allEnded(box, [fresh.body.commandId]);
  });

  test("Prefer: wait gives the command at its end", async () => {
    await readyAxis(box, "z1");
    const answer = await box.call<CommandView>(
      "POST",
      "/v1/axes/z1/commands",
      { type: "MoveRelative", distance: 5, velocity: 200 },
      { prefer: "wait=20" },
    );
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expectShape(answer.body, shape.command);
    expect(answer.body.state).toBe("succeeded");
  });

  test("Prefer: wait gives 202 when the end does not come in time", async () => {
    await readyAxis(box, "z1");
    const answer = await post("z1", { type: "MoveAbsolute", position: -100, velocity: 10 }, { prefer: "wait=1" });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    expectShape(answer.body, shape.accepted);
    await box.run("z1", { type: "Halt" });
    const [ended] = await allEnded(box, [answer.body.commandId]);
    expect(ended?.state).toBe("stopped");
    expectProblem(await box.call("DELETE", `/v1/commands/${answer.body.commandId}`), "already-dispatched", 409);
  });

  test.each(["/v1/axes/z2/stop", "/v1/groups/table/stop", "/v1/links/cell_2/stop", "/v1/stop"])(
    "%s tells of every axis, is latched and is released by Reset",
    async (path) => {
      const answer = await confirmedStop(box, path);
      expectShape(answer.body, shape.stopResult);
      expect(answer.body.items.map(({ axis }) => axis)).toContain("z2");
      for (const item of answer.body.items)
        expect(item).toMatchObject({ result: "acknowledged", recorded: true, problem: null });
      const latched = await until(
        "z2 shows the latch",
        () => box.axis("z2"),
        ({ stopLatched }) => stopLatched,
      );
      expectShape(latched, shape.axis);
      for (const { axis } of answer.body.items) await resetAxis(box, axis);
    },
  );

  test("traceparent goes with the command into the log", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const { body } = await post("x2", { type: "Disable" }, { traceparent });
    const events = await until(
      "the event is readable",
      async () => (await box.call<Page<CloudEvent>>("GET", "/v1/events?axis=x2&type=DisableAccepted")).body.items,
      (items) => items.some(({ commandid }) => commandid === body.commandId),
    );
    expect(events.find(({ commandid }) => commandid === body.commandId)?.traceparent).toBe(traceparent);
  });
});

describe("streams", () => {
  test("events come one after the other and resume by Last-Event-ID without gap or duplicate", async () => {
    const first = await readEvents(`${box.url}/v1/events/stream?afterPosition=0`);
    expect(first.headers.get("content-type")).toMatch(/^text\/event-stream/);
    await until(
      "some events have come",
      () => first.messages.length,
      (length) => length >= 12,
    );
    first.close();
    const seen = first.messages.slice(0, 7);
    const resumed = await readEvents(`${box.url}/v1/events/stream`, { "last-event-id": seen.at(-1)?.id ?? "" });
    const { commandId } = await box.send("x3", { type: "Disable" });
    await until(
      "the newest command has come by the stream",
      () => resumed.messages.some(({ data }) => data.includes(commandId)),
      (came) => came,
    );
    resumed.close();
    const all = [...seen, ...resumed.messages];
    for (const { id, data } of all) {
      const event = JSON.parse(data) as CloudEvent;
      expectShape(event, shape.event);
      expect(id).toBe(event.logposition);
    }
    const positions = all.map(({ id }) => number(id ?? ""));
    expect(positions).toEqual(positions.map((_, n) => n + 1));
  });

  test("the live stream shows every axis and goes on with what changes", async () => {
    const live = await readEvents(`${box.url}/v1/live`);
    await readyAxis(box, "z1");
    // Far away: a stream that is held up for some seconds shows the rest of the way.
    const { commandId } = await box.send("z1", { type: "MoveAbsolute", position: -300, velocity: 30 });
    const ofZ1 = () => live.messages.map(({ data }) => JSON.parse(data) as AxisView).filter(({ id }) => id === "z1");
    await until(
      "z1 is seen moving",
      ofZ1,
      (seen) => seen.filter(({ state }) => state === "discrete-motion").length >= 5,
    );
    await box.run("z1", { type: "Halt" });
    await allEnded(box, [commandId]);
    live.close();
    const axes = live.messages.map(({ data }) => JSON.parse(data) as AxisView);
    for (const axis of axes) expectShape(axis, shape.axis);
    expect(new Set(axes.map(({ id }) => id)).size).toBe(8);
    const times = ofZ1().map(({ asOf }) => asOf);
    expect(times).toEqual([...times].sort());
  });
});

test("alarms have the published shape", async () => {
  await box.upsetDrive("y3", { kind: "silence" });
  const { body } = await until(
    "an alarm of y3 is active",
    () => box.call<Page<{ id: string; source: string; kind: string; state: string }>>("GET", "/v1/alarms?state=active"),
    (answer) => answer.body.items.some(({ source }) => source === "y3"),
  );
  const alarm = {
    id: shape.text,
    kind: shape.oneOf("link-down", "drive-fault", "limit-reached", "axis-offline", "read-model-halted"),
    source: shape.text,
    state: shape.oneOf("active", "acknowledged", "shelved", "cleared"),
    message: shape.text,
    remedy: shape.text,
    since: shape.time,
    clearedAt: shape.orNull(shape.time),
    acknowledgedBy: shape.orNull(shape.text),
  };
  expectShape(body, shape.listOf(alarm));
  const found = body.items.find(({ source }) => source === "y3");
  expect(found).toMatchObject({ kind: "axis-offline", state: "active" });
  await box.call("POST", `/v1/alarms/${found?.id}/acknowledge`);
  const acknowledged = await until(
    "the alarm is acknowledged",
    async () => (await box.call<Page<{ id: string }>>("GET", "/v1/alarms?state=acknowledged")).body,
    ({ items }) => items.some(({ id }) => id === found?.id),
  );
  expectShape(acknowledged, shape.listOf(alarm));
  await box.upsetDrive("y3", { kind: "clear" });
});
