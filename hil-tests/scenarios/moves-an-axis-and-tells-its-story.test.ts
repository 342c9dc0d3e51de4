import type { AcceptedView, CloudEvent, CommandView, Page } from "@servofleet/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allEnded } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import { withCrc } from "../sim/modbus-crc.ts";

const COMMAND_ORDER = ["accepted", "dispatched", "acknowledged", "moving", "succeeded"];

let box: RunningBox;
beforeAll(async () => {
  box = await startBox();
});
afterAll(() => box?.stop());

const number = (logPosition: string) => Number(logPosition.split(".")[1]);

/** Window in which a move counts as done, counts: as the drive's profile says. */
async function window(axis: string): Promise<number> {
  const { body } = await box.call<Page<CloudEvent>>("GET", `/v1/events?axis=${axis}&type=AxisAbilitiesSeen`);
  const seen = body.items.at(-1)?.data as { positionWindowCounts: number } | undefined;
  return seen?.positionWindowCounts ?? Number.NaN;
}

describe.each([
  { axis: "x1", wire: "a serial line", counts: 100, first: 20, second: 60.5, velocity: 80 },
  { axis: "z1", wire: "a TCP socket", counts: 1000, first: 30, second: 90.25, velocity: 120 },
])("an axis behind $wire", ({ axis, counts, first, second, velocity }) => {
  let story: CommandView;

  test("is enabled and homed by commands that end succeeded", async () => {
    for (const type of ["Enable", "Home"]) {
      const ended = await box.run(axis, { type }, 30);
      expect(ended, JSON.stringify(ended)).toMatchObject({ type, axis, state: "succeeded", problem: null });
    }
    const seen = await until(
      `${axis} shows itself homed`,
      () => box.axis(axis),
      (now) => now.homed && now.state === "standstill",
    );
    expect(seen.fault).toBeNull();
    expect((await box.drive(axis)).homed).toBe(true);
  });

  test("takes a move with 202 and a Location that knows it", async () => {
    const answer = await box.call<AcceptedView>("POST", `/v1/axes/${axis}/commands`, {
      type: "MoveAbsolute",
      position: first,
      velocity,
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    const { commandId, logPosition } = answer.body;
    expect(answer.body).toEqual({ commandId, axis, state: "accepted", logPosition });
    expect(commandId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(logPosition).toMatch(/^[0-9A-Za-z_-]+\.[1-9]\d*$/);
    const location = answer.headers.get("location") ?? "";
    expect(location).toBe(`/v1/commands/${commandId}?minPosition=${logPosition}&waitMs=500`);
    const known = await until(
      "the read side, which says 503 while it lags by more than it is given, knows the command",
      () => box.call<CommandView>("GET", location),
      ({ status }) => status !== 503,
    );
    expect(known.status, JSON.stringify(known.body)).toBe(200);
    expect(known.body).toMatchObject({ commandId, axis, type: "MoveAbsolute", request: { position: first } });
    const [ended] = await allEnded(box, [commandId]);
    expect(ended?.state, JSON.stringify(ended)).toBe("succeeded");
  });

  test("stands within the window of its target, by the drive's own count and by the machine's true place", async () => {
    const before = await box.drive(axis);
    story = await box.run(axis, { type: "MoveAbsolute", position: second, velocity, acceleration: 500 });
    expect(story, JSON.stringify(story)).toMatchObject({ state: "succeeded", target: second, problem: null });
    const allowed = await window(axis);
    expect(allowed).toBeGreaterThan(0);
    const after = await until(
      `${axis} stands`,
      () => box.drive(axis),
      (drive) => !drive.moving,
    );
    expect(Math.abs(after.position - second * counts)).toBeLessThanOrEqual(allowed);
    const travelled = after.plant.position - before.plant.position;
    expect(Math.abs(travelled - (second - first) * counts)).toBeLessThanOrEqual(2 * allowed);
    expect(Math.abs(story.finalError ?? Number.NaN) * counts).toBeLessThanOrEqual(allowed);
    const shown = await until(
      `${axis} shows a fresh position`,
      () => box.axis(axis),
      ({ measured, state, currentCommand }) =>
        state === "standstill" &&
        currentCommand === null &&
        measured.quality === "good" &&
        Math.abs((measured.position ?? 1e9) * counts - after.position) <= 1,
    );
    expect(shown.commanded?.position).toBe(second);
    expect(shown.sent?.position).toBeCloseTo(second, 2);
    expect(shown.acknowledged?.position).toBeCloseTo(second, 2);
  });

  test("went through its states in order, each once", () => {
    const states = story.transitions.map(({ state }) => state);
    expect(states).toEqual(COMMAND_ORDER.filter((state) => states.includes(state as never)));
    expect(states[0]).toBe("accepted");
    expect(states).toContain("dispatched");
    expect(states).toContain("acknowledged");
    expect(states.at(-1)).toBe("succeeded");
    const positions = story.transitions.map(({ logPosition }) => number(logPosition));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(story.transitions[0]?.eventId).toBe(story.commandId);
  });

  test("keeps the bytes of its command", async () => {
    const { frames } = story;
    expect(frames.length).toBeGreaterThanOrEqual(2);
    for (const { hex } of frames) expect(hex).toMatch(/^([0-9a-f]{2})+$/);
    expect(frames[0]?.direction).toBe("tx");
    expect(frames.some(({ direction }) => direction === "rx")).toBe(true);
    expect(frames.reduce((bytes, { hex }) => bytes + hex.length / 2, 0)).toBeLessThanOrEqual(2048);
    if (axis !== "x1") return;
    for (const { hex } of frames) {
      const bytes = Buffer.from(hex, "hex");
      expect(Buffer.from(withCrc(bytes.subarray(0, -2))).toString("hex"), "checksum of a stored frame").toBe(hex);
      expect(bytes[0], "unit of a stored frame").toBe(1);
    }
    const target = Buffer.alloc(4);
    target.writeInt32BE(second * counts);
    const sent = frames.filter(({ direction }) => direction === "tx").map(({ hex }) => hex);
    expect(sent.some((hex) => hex.includes(target.toString("hex")))).toBe(true);
  });

  test("has its story told by `servofleet why`", async () => {
    await box.read(`/v1/commands/${story.commandId}`);
    const { code, stdout, stderr } = await box.cli("why", story.commandId);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`MoveAbsolute ${story.commandId} on ${axis}: succeeded`);
    expect(stdout).toContain(`"position":${second}`);
    expect(stdout).toMatch(/decided .*standstill.*counts/);
    for (const { logPosition } of story.transitions) expect(stdout).toContain(logPosition);
    for (const event of ["MoveAccepted", "DispatchStarted", "DispatchAcknowledged", "CommandSucceeded"])
      expect(stdout).toContain(event);
    const spaced = (story.frames[0]?.hex ?? "").replace(/(..)(?=.)/g, "$1 ");
    expect(stdout).toContain(`tx  ${spaced}`);
    expect(stdout).toMatch(/confirmed +by measurement/);
    const json = await box.cli("--json", "why", story.commandId);
    expect(json.code, json.stderr).toBe(0);
    const told = JSON.parse(json.stdout) as { command: CommandView; events: CloudEvent[] };
    expect(told.command.commandId).toBe(story.commandId);
    expect(told.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["servofleet.MoveAccepted.v1", "servofleet.CommandSucceeded.v1"]),
    );
    for (const event of told.events) expect(event.commandid).toBe(story.commandId);
  });

  test("moves by a distance, which is an absolute target from acceptance on", async () => {
    const moved = await box.run(axis, { type: "MoveRelative", distance: -10, velocity });
    expect(moved.state, JSON.stringify(moved)).toBe("succeeded");
    const allowed = await window(axis);
    // A distance counts from where the axis stands, which may be anywhere in the window of the move before.
    expect(Math.abs((moved.target ?? Number.NaN) - (second - 10)) * counts).toBeLessThanOrEqual(allowed);
    const drive = await box.drive(axis);
    expect(Math.abs(drive.position - (moved.target ?? Number.NaN) * counts)).toBeLessThanOrEqual(allowed);
    expect(drive.record.filter(({ kind }) => kind === "start-relative")).toEqual([]);
  });

  test("is halted in mid-move by Halt, which is not a latched stop", async () => {
    const { commandId } = await box.send(axis, { type: "MoveAbsolute", position: 300, velocity: 20 });
    await until(
      `${axis} moves`,
      () => box.drive(axis),
      (drive) => Math.abs(drive.plant.velocity) > 5 * counts,
    );
    const halted = await box.run(axis, { type: "Halt" });
    expect(halted.state, JSON.stringify(halted)).toBe("succeeded");
    const [moved] = await allEnded(box, [commandId]);
    expect(moved?.state, JSON.stringify(moved)).toBe("stopped");
    const drive = await until(
      `${axis} stands`,
      () => box.drive(axis),
      ({ moving }) => !moving,
    );
    expect(drive.position).toBeLessThan(300 * counts);
    const shown = await until(
      `${axis} stands`,
      () => box.axis(axis),
      ({ state }) => state === "standstill",
    );
    expect(shown.stopLatched).toBe(false);
  });

  test("takes a second move over a running one, which ends superseded", async () => {
    const one = await box.send(axis, { type: "MoveAbsolute", position: 300, velocity: 20 });
    await until(
      `${axis} moves`,
      () => box.drive(axis),
      (drive) => Math.abs(drive.plant.velocity) > 5 * counts,
    );
    const two = await box.run(axis, { type: "MoveAbsolute", position: second, velocity });
    expect(two.state, JSON.stringify(two)).toBe("succeeded");
    const [superseded] = await allEnded(box, [one.commandId]);
    expect(superseded?.state, JSON.stringify(superseded)).toBe("superseded");
  });

  test("shows another position after SetPosition without moving, and its limits stay where they are", async () => {
    const before = await box.drive(axis);
    const set = await box.run(axis, { type: "SetPosition", position: 0 });
    expect(set.state, JSON.stringify(set)).toBe("succeeded");
    await until(
      `${axis} shows 0`,
      () => box.axis(axis),
      ({ measured }) => Math.abs(measured.position ?? 1e9) < 0.05,
    );
    const after = await box.drive(axis, before.record.at(-1)?.seq ?? 0);
    expect(after.record).toEqual([]);
    // The last fraction of a count may still settle.
    expect(Math.abs(after.plant.position - before.plant.position)).toBeLessThan(3);
    const max = axis === "x1" ? 800 : 360;
    const beyond = await box.call("POST", `/v1/axes/${axis}/commands`, { type: "MoveAbsolute", position: max });
    expect(beyond.status).toBe(422);
    const moved = await box.run(axis, { type: "MoveAbsolute", position: 5, velocity });
    expect(moved.state, JSON.stringify(moved)).toBe("succeeded");
    const drive = await box.drive(axis);
    expect(Math.abs(drive.position - before.position - 5 * counts)).toBeLessThanOrEqual(2 * (await window(axis)));
    const back = await box.run(axis, { type: "SetPosition", position: drive.position / counts });
    expect(back.state, JSON.stringify(back)).toBe("succeeded");
  });
});

test("a parameter is written to the drive and read back", async () => {
  const written = await box.run("x1", { type: "WriteParameter", parameter: "quickStopRamp", value: 90 });
  expect(written.state, JSON.stringify(written)).toBe("succeeded");
  expect(written.frames.some(({ direction, hex }) => direction === "tx" && hex.includes("005a"))).toBe(true);
});

test("a velocity move is halted before the limit on an axis that allows it", async () => {
  await box.prepare("z2");
  const run = await box.run("z2", { type: "MoveVelocity", velocity: 150, acceleration: 1000 }, 30);
  expect(run.state, JSON.stringify(run)).toBe("stopped");
  const drive = await until(
    "z2 stands",
    () => box.drive("z2"),
    ({ moving }) => !moving,
  );
  expect(drive.position).toBeLessThanOrEqual(360_000);
  expect(drive.position).toBeGreaterThan(180_000);
  const { items } = await box.read<Page<CloudEvent>>("/v1/events?axis=z2&type=LimitReached");
  expect(items).toHaveLength(1);
});

test("a velocity move is refused where the drive would run on if the line broke", async () => {
  const answer = await box.call("POST", "/v1/axes/x1/commands", { type: "MoveVelocity", velocity: 10 });
  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({ type: "/problems/unsupported-by-drive", errors: [{ pointer: "/type" }] });
});

test("the command line moves an axis and waits for its end", async () => {
  const { code, stdout, stderr } = await box.cli("--json", "move", "x1", "12.5", "--velocity", "100", "--wait");
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ type: "MoveAbsolute", axis: "x1", state: "succeeded", target: 12.5 });
  await until(
    "the axis is shown where it stands",
    () => box.cli("axes"),
    (axes) => /^x1 .*12\.\d/m.test(axes.stdout),
  );
});
