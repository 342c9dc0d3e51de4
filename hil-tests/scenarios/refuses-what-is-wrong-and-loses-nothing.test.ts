import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProblemDocument } from "@servofleet/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { resetAxis } from "../box/patient-asking.ts";
import { readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import { problem } from "./published-shape.ts";

let box: RunningBox;
/** Newest motion write of each drive before anything wrong was asked. */
const before = new Map<string, number>();

beforeAll(async () => {
  box = await startBox();
  await Promise.all(["x1", "z1"].map((axis) => readyAxis(box, axis)));
  for (const axis of ["x1", "z1"]) before.set(axis, (await box.drive(axis)).record.at(-1)?.seq ?? 0);
});
afterAll(() => box?.stop());

async function refused(
  path: string,
  body: unknown,
  slug: string,
  status: number,
  pointers: readonly string[] = [],
  headers: Record<string, string> = {},
): Promise<ProblemDocument> {
  const answer = await box.call<ProblemDocument>("POST", path, body, headers);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.body, JSON.stringify(answer.body)).toSatisfy(problem(slug, status));
  expect(answer.body.errors.map(({ pointer }) => pointer).sort()).toEqual([...pointers].sort());
  return answer.body;
}

const X1 = "/v1/axes/x1/commands";
const Z1 = "/v1/axes/z1/commands";
const move = (fields: object) => ({ type: "MoveAbsolute", position: 10, ...fields });

describe("a wrong body is a 400 that points at what is wrong", () => {
  test.each([
    ["broken JSON", '{"type":"MoveAbsolute","position":', []],
    ["nothing", "", []],
    ["a list", [move({})], [""]],
    ["a foreign field", move({ speed: 10 }), ["/speed"]],
    ["a wrong type", move({ position: "ten" }), ["/position"]],
    ["a number as text is not taken for a number", move({ velocity: "10" }), ["/velocity"]],
    ["a missing field", { type: "MoveAbsolute" }, ["/position"]],
    ["two mistakes at once", { type: "MoveAbsolute", velocity: "x", speed: 1 }, ["/position", "/speed", "/velocity"]],
    ["null", move({ position: null }), ["/position"]],
    ["an unknown command", { type: "Teleport", position: 10 }, ["/type"]],
    ["no type", { position: 10 }, ["/type"]],
    ["a field of another command", { type: "Enable", position: 10 }, ["/position"]],
  ])("%s", async (_what, body, pointers) => {
    const answer = await box.call<ProblemDocument>("POST", X1, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(400);
    expect(answer.body, JSON.stringify(answer.body)).toSatisfy(problem("validation-error", 400));
    const named = answer.body.errors.map(({ pointer }) => pointer);
    for (const pointer of pointers) expect(named).toContain(pointer);
  });

  test("a body that is not JSON by its type", () =>
    refused(X1, "type=Enable", "unsupported-media-type", 415, [], {
      "content-type": "application/x-www-form-urlencoded",
    }));

  test("a body without end", () =>
    refused(X1, { type: "Enable", filler: "x".repeat(300_000) }, "payload-too-large", 413));

  test("a foreign page is turned away", async () => {
    await refused(X1, { type: "Enable" }, "forbidden", 403, [], { origin: "http://elsewhere.example" });
    await refused(X1, { type: "Enable" }, "forbidden", 403, [], { "sec-fetch-site": "cross-site" });
  });
});

describe("what does not exist is a 404", () => {
  test.each([
    ["POST", "/v1/axes/x9/commands", { type: "Enable" }],
    ["POST", "/v1/axes/x9/stop", undefined],
    ["POST", "/v1/groups/nobody/stop", undefined],
    ["POST", "/v1/links/line_z/stop", undefined],
    ["DELETE", "/v1/commands/0199c3a1-0000-7000-8000-000000000000", undefined],
    ["POST", "/v1/axes/x9/reconcile", { decision: "adopt" }],
    ["GET", "/v1/axes/x9", undefined],
    ["GET", "/v1/links/line_z", undefined],
    ["GET", "/v1/commands/0199c3a1-0000-7000-8000-000000000000", undefined],
    ["GET", "/v1/axes/x9/telemetry", undefined],
    ["GET", "/v1/runs/1", undefined],
    ["GET", "/v1/programs/pick", undefined],
    ["POST", "/v1/programs/pick/runs", {}],
    ["POST", "/v1/runs/1/abort", undefined],
    ["GET", "/v1/leases/1", undefined],
    ["PUT", "/v1/leases/1", undefined],
    ["POST", "/v1/leases", { axes: ["x9"] }],
    ["POST", "/v1/axes/x9/jog", { direction: 1, velocity: 5 }],
    ["PUT", "/v1/jog/1", { seq: 1, challenge: "x" }],
    ["DELETE", "/v1/jog/1", undefined],
    ["GET", "/v2/axes", undefined],
  ])("%s %s", async (method, path, body) => {
    const answer = await box.call(method, path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(404);
    expect(answer.body).toSatisfy(problem("not-found", 404));
  });

  test("an unknown axis is answered with those there are", async () => {
    const { remedy } = await refused("/v1/axes/x9/commands", { type: "Enable" }, "not-found", 404);
    expect(remedy).toContain("x1");
  });

  test("a misspelt filter is refused and does not answer everything", async () => {
    const answer = await box.call<ProblemDocument>("GET", "/v1/commands?axes=x1");
    expect(answer.status).toBe(400);
    expect(answer.body).toSatisfy(problem("validation-error", 400));
    expect(answer.body.errors[0]?.pointer).toBe("/axes");
  });
});

describe("what is beyond a limit is a 422 that says the limit", () => {
  test("a position", async () => {
    const { detail, remedy, errors } = await refused(X1, move({ position: 900 }), "soft-limit", 422, ["/position"]);
    expect(detail).toBe("position 900 mm is beyond max 800 mm");
    expect(remedy).toBe("ask for 0 to 800 mm");
    expect(errors).toEqual([{ pointer: "/position", detail: "at most 800" }]);
  });

  test.each([
    ["below the lower limit", move({ position: -0.5 }), "soft-limit", ["/position"]],
    ["a velocity", move({ velocity: 501 }), "soft-limit", ["/velocity"]],
    ["a velocity of 0", move({ velocity: 0 }), "soft-limit", ["/velocity"]],
    ["an acceleration", move({ acceleration: 5001 }), "soft-limit", ["/acceleration"]],
    ["a deceleration", move({ deceleration: -1 }), "soft-limit", ["/deceleration"]],
    ["all of them at once", move({ position: 900, velocity: 900 }), "soft-limit", ["/position", "/velocity"]],
    ["a distance", { type: "MoveRelative", distance: 5000 }, "soft-limit", ["/distance"]],
    ["a time to start too short", move({ ttlMs: 49 }), "ttl-out-of-range", ["/ttlMs"]],
    ["a time to start too long", move({ ttlMs: 60_001 }), "ttl-out-of-range", ["/ttlMs"]],
    [
      "a parameter the drive lacks",
      { type: "WriteParameter", parameter: "wings", value: 1 },
      "unsupported-by-drive",
      ["/parameter"],
    ],
  ] as const)("%s", async (_what, body, slug, pointers) => {
    await refused(X1, body, slug, 422, pointers);
  });

  test("a velocity move on an axis that may have one", () =>
    refused(Z1, { type: "MoveVelocity", velocity: -400 }, "soft-limit", 422, ["/velocity"]));
});

describe("what cannot be done now is a 409 that says why", () => {
  test("an axis that is not enabled", () => refused("/v1/axes/y1/commands", move({}), "axis-not-ready", 409));

  test("an axis that is not homed", async () => {
    await box.run("y1", { type: "Enable" });
    const { detail, remedy } = await refused("/v1/axes/y1/commands", move({}), "axis-not-ready", 409);
    expect(detail).toContain("not homed");
    expect(remedy).toContain("Home");
  });

  test("an axis whose stop is latched, until Reset", async () => {
    await box.call("POST", "/v1/axes/z2/stop");
    for (const type of ["Enable", "Home"]) await refused("/v1/axes/z2/commands", { type }, "stop-latched", 409);
    await resetAxis(box, "z2");
    expect((await box.run("z2", { type: "Enable" })).state).toBe("succeeded");
  });

  test("a version that has passed", () => refused(X1, move({}), "version-mismatch", 412, [], { "if-match": '"1"' }));

  test("an axis whose drive does not answer", async () => {
    await box.upsetDrive("y3", { kind: "silence" });
    await until(
      "y3 is offline",
      () => box.axis("y3"),
      ({ state }) => state === "offline",
    );
    const { detail } = await refused("/v1/axes/y3/commands", { type: "Enable" }, "axis-offline", 409);
    expect(detail).toContain("y3");
    await box.upsetDrive("y3", { kind: "clear" });
  });

  test("reconciling where there is nothing to reconcile, or with a word that does not exist", async () => {
    await refused("/v1/axes/x1/reconcile", { decision: "maybe" }, "validation-error", 400, ["/decision"]);
    const answer = await box.call<ProblemDocument>("POST", "/v1/axes/x1/reconcile", { decision: "adopt" });
    expect(answer.status, JSON.stringify(answer.body)).toBe(409);
    expect(answer.body).toSatisfy((body: ProblemDocument) => problem(body.type.replace("/problems/", ""), 409)(body));
  });
});

test("nothing of all this reached a drive, and the axes take the next right command", async () => {
  for (const [axis, seq] of before) expect((await box.drive(axis, seq)).record, axis).toEqual([]);
  for (const axis of ["x1", "z1"]) {
    const moved = await box.run(axis, move({ position: 15, velocity: 100 }));
    expect(moved.state, JSON.stringify(moved)).toBe("succeeded");
  }
  const verified = await box.cli("log", "verify");
  expect(verified.code, verified.stderr).toBe(0);
});

describe("a wrong configuration starts nothing and names everything", () => {
  const wrong = () => {
    const directory = mkdtempSync(join(tmpdir(), "wrong-"));
    const fleet = parse(readFileSync(box.fleetFile, "utf8")) as {
      data: string;
      links: Record<string, unknown>[];
      axes: Record<string, unknown>[];
    };
    fleet.data = join(directory, "data");
    fleet.links[0]!["baud"] = "fast";
    fleet.axes[0]!["conutsPerUnit"] = 100;
    fleet.axes[1]!["link"] = "line_z";
    fleet.axes[2]!["limits"] = { min: 10, max: 0, velocity: 500, acceleration: 5000 };
    const file = join(directory, "fleet.yaml");
    writeFileSync(file, stringify(fleet));
    return { directory, file, data: fleet.data };
  };

  test.each([
    ["up", (file: string) => ["up", "--config", file]],
    ["check", (file: string) => ["check", file]],
    ["controller", (file: string) => ["controller", "--config", file]],
    ["gateway", (file: string) => ["gateway", "--config", file]],
  ])("servofleet %s", async (_verb, args) => {
    const { directory, file, data } = wrong();
    try {
      const { code, stdout, stderr } = await box.cli(...args(file));
      const said = stdout + stderr;
      expect([1, 2], said).toContain(code);
      expect(said).toContain("baud");
      expect(said).toContain("conutsPerUnit");
      expect(said).toContain("countsPerUnit");
      expect(said).toContain("line_z");
      expect(said).toContain("line_a");
      expect(said).toMatch(/limits/);
      expect(said).not.toMatch(/^\s+at .*:\d+:\d+/m);
      expect(existsSync(data) ? readdirSync(data, { recursive: true }) : []).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test("a gateway that would be reachable from outside says why it does not start", async () => {
    const directory = mkdtempSync(join(tmpdir(), "open-"));
    try {
      const fleet = parse(readFileSync(box.fleetFile, "utf8")) as object;
      const file = join(directory, "fleet.yaml");
      writeFileSync(file, stringify({ ...fleet, data: join(directory, "data"), http: { host: "0.0.0.0", port: 0 } }));
      const { code, stderr } = await box.cli("gateway", "--config", file);
      expect(code).toBe(1);
      expect(stderr).toContain("no users");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
