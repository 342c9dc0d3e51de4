import {
  type AlarmView,
  type AxisView,
  type CloudEvent,
  type LinkView,
  type Page,
  TERMINAL_STATES,
} from "@servofleet/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allEnded, readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";

let box: RunningBox;
beforeAll(async () => {
  box = await startBox();
  await Promise.all(["x1", "x2", "y1", "z1"].map((axis) => readyAxis(box, axis)));
});
afterAll(() => box?.stop());

const alarmsOf = async (source: string): Promise<readonly AlarmView[]> =>
  (await box.call<Page<AlarmView>>("GET", "/v1/alarms")).body.items.filter((alarm) => alarm.source === source);
const linkState = async (id: string) => (await box.call<LinkView>("GET", `/v1/links/${id}`)).body.state;
const newestSeq = async (axis: string) => (await box.drive(axis)).record.at(-1)?.seq ?? 0;
const startsSince = async (axis: string, seq: number) =>
  (await box.drive(axis, seq)).record.filter(({ kind }) => /^start|velocity|home/.test(kind));

const latchedStops = async (axis: string) =>
  (await box.read<Page<CloudEvent>>(`/v1/events?axis=${axis}&type=StopLatched`)).items.length;

const back = (axis: string) =>
  until(
    `${axis} is back`,
    () => box.axis(axis),
    (now: AxisView) =>
      !["offline", "discrete-motion", "stopping"].includes(now.state) && now.measured.quality === "good",
  );

test("an unplugged serial line is an alarm, its axes are offline, and it comes back by itself without moving anything", async () => {
  const { commandId } = await box.send("x1", { type: "MoveAbsolute", position: 600, velocity: 60 });
  await until(
    "x1 moves",
    () => box.drive("x1"),
    ({ plant }) => Math.abs(plant.velocity) > 500,
  );
  const seqs = { x1: await newestSeq("x1"), x2: await newestSeq("x2") };
  const still = await until(
    "the shaft of x2 has settled",
    () => box.drive("x2"),
    ({ plant }) => plant.velocity === 0,
  );
  const standing = still.plant.position;
  await box.upsetLink("line_a", { kind: "unplug" });
  await until(
    "line_a is down",
    () => linkState("line_a"),
    (state) => state === "down",
  );
  for (const axis of ["x1", "x2", "x3"])
    await until(
      `${axis} is offline`,
      () => box.axis(axis),
      ({ state }) => state === "offline",
    );
  const [alarm] = await until(
    "line_a has an alarm",
    () => alarmsOf("line_a"),
    (alarms) => alarms.length > 0,
  );
  expect(alarm).toMatchObject({ kind: "link-down", state: "active", clearedAt: null });
  const refused = await box.call("POST", "/v1/axes/x2/commands", { type: "MoveAbsolute", position: 10 });
  expect([409, 503], JSON.stringify(refused.body)).toContain(refused.status);
  expect((await box.run("y1", { type: "MoveAbsolute", position: 10, velocity: 100 })).state).toBe("succeeded");

  await box.upsetLink("line_a", { kind: "replug" });
  await until(
    "line_a is up",
    () => linkState("line_a"),
    (state) => state === "up",
  );
  for (const axis of ["x1", "x2", "x3"]) await back(axis);
  const [cleared] = await until(
    "its alarm is cleared",
    () => alarmsOf("line_a"),
    (alarms) => alarms.every(({ state }) => state === "cleared"),
  );
  expect(cleared?.clearedAt).not.toBeNull();
  const [ended] = await allEnded(box, [commandId]);
  expect(
    ended?.transitions.filter(({ state }) => TERMINAL_STATES.has(state)),
    JSON.stringify(ended),
  ).toHaveLength(1);
  expect(await startsSince("x1", seqs.x1)).toEqual([]);
  expect(await startsSince("x2", seqs.x2)).toEqual([]);
  expect((await box.drive("x2")).plant.position).toBe(standing);
  await readyAxis(box, "x1");
  const moved = await box.run("x1", { type: "MoveAbsolute", position: 30, velocity: 200 });
  expect(moved.state, JSON.stringify(moved)).toBe("succeeded");
});

test("a stop posted while the line is unplugged is pending, stays latched, and is the first thing the drive hears", async () => {
  await readyAxis(box, "x2");
  const seq = await newestSeq("x2");
  await box.upsetLink("line_a", { kind: "unplug" });
  await until(
    "x2 is offline",
    () => box.axis("x2"),
    ({ state }) => state === "offline",
  );
  const before = await latchedStops("x2");
  const stop = await box.call<{ items: { result: string; recorded: boolean }[] }>("POST", "/v1/axes/x2/stop");
  expect(stop.status, JSON.stringify(stop.body)).toBe(202);
  expect(stop.body.items).toMatchObject([{ axis: "x2", result: "pending" }]);
  // The answer waits a second for the log, and a slow disk may take longer.
  await until(
    "the stop is in the log",
    () => latchedStops("x2"),
    (stops) => stops === before + 1,
  );
  await box.upsetLink("line_a", { kind: "replug" });
  const drive = await until(
    "x2 got its stop",
    () => box.drive("x2", seq),
    ({ record }) => record.length > 0,
  );
  expect(drive.record[0]?.kind).toMatch(/^(stop|halt)$/);
  const shown = await back("x2");
  expect(shown.stopLatched).toBe(true);
  expect((await readyAxis(box, "x2")).stopLatched).toBe(false);
});

test("a reset TCP connection is opened again, and what was under way ends once and is not sent again", async () => {
  await readyAxis(box, "z1");
  const { commandId, logPosition } = await box.send("z1", { type: "MoveAbsolute", position: 200, velocity: 40 });
  await until(
    "z1 moves",
    () => box.drive("z1"),
    ({ plant }) => Math.abs(plant.velocity) > 500,
  );
  const seq = await newestSeq("z1");
  await box.upsetLink("cell_1", { kind: "reset-connection" });
  const path = `/v1/events?afterPosition=${logPosition}&type=LinkWentDown,LinkWentUp`;
  await until(
    "the link went down and up",
    async () =>
      (await box.call<Page<CloudEvent>>("GET", path)).body.items.filter(({ subject }) => subject === "link-cell_1"),
    // A host that pauses while it connects makes another round of it.
    (events) =>
      events
        .map(({ type }) => type.split(".")[1])
        .join()
        .startsWith("LinkWentDown,LinkWentUp"),
  );
  const [ended] = await allEnded(box, [commandId]);
  expect(
    ended?.transitions.filter(({ state }) => TERMINAL_STATES.has(state)),
    JSON.stringify(ended),
  ).toHaveLength(1);
  expect(await startsSince("z1", seq)).toEqual([]);
  await back("z1");
  await readyAxis(box, "z1");
  const moved = await box.run("z1", { type: "MoveAbsolute", position: 0, velocity: 300 });
  expect(moved.state, JSON.stringify(moved)).toBe("succeeded");
});
