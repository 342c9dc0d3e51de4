import { randomUUID } from "node:crypto";
import { join } from "node:path";
import {
  type AcceptedView,
  type CloudEvent,
  COMMAND_STATE_AFTER,
  type EventType,
  type Page,
  TERMINAL_STATES,
} from "@servofleet/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allEnded, readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, type ServiceName, startBox } from "../box/running-box.ts";
import { askSocket } from "../box/service-socket.ts";
import { until } from "../box/until.ts";
import type { MotionWrite } from "../sim/drive-record.ts";

/** Ten kills in mid-move, one service after the other. */
const KILLS: readonly ServiceName[] = [
  "controller",
  "bridge",
  "gateway",
  "dashboard",
  "controller",
  "bridge",
  "gateway",
  "dashboard",
  "controller",
  "bridge",
];
const BACK_LIMIT_MS = 45_000;
/** A slow move is under way on these when the service dies; counts per unit. */
const MOVED = { x1: 100, z1: 1000 } as const;
/** Commands come in a stream on this one while the service dies. */
const STREAMED = "y1";
const AXES = [...Object.keys(MOVED), STREAMED];

let box: RunningBox;
/** Every command that was answered by 202, by id. */
const accepted = new Map<string, { axis: string; targetCounts: number }>();
let distinct = 0;

beforeAll(async () => {
  box = await startBox();
});
afterAll(() => box?.stop());

/** No two moves of the whole run share a target, so that each start in a drive's record names its command. */
const offset = () => ++distinct / 10;

async function move(axis: string, position: number, velocity: number, countsPerUnit: number): Promise<AcceptedView> {
  const view = await box.send(axis, { type: "MoveAbsolute", position, velocity });
  accepted.set(view.commandId, { axis, targetCounts: Math.round(position * countsPerUnit) });
  return view;
}

/** Moves one after the other, each with its own key, until told to end; what got no answer is asked again with its key. */
function streamMoves(): { end(): Promise<void> } {
  let ending = false;
  const run = async () => {
    while (!ending) {
      const position = 50 + offset();
      await insist({ "idempotency-key": randomUUID() }, { type: "MoveAbsolute", position, velocity: 60 }, position);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  const running = run();
  return {
    end: () => {
      ending = true;
      return running;
    },
  };
}

async function insist(headers: Record<string, string>, body: object, position: number): Promise<void> {
  const answer = await until(
    "a move has an answer that tells whether it was taken",
    () => box.call<AcceptedView>("POST", `/v1/axes/${STREAMED}/commands`, body, headers),
    ({ status }) => status === 202 || (status >= 400 && status < 500 && status !== 429),
    BACK_LIMIT_MS,
  );
  if (answer.status !== 202) return;
  accepted.set(answer.body.commandId, { axis: STREAMED, targetCounts: Math.round(position * 100) });
}

const starts = (record: readonly MotionWrite[]) =>
  record.filter(({ kind }) => kind.startsWith("start") || kind === "velocity" || kind === "home");

/** A status straight from a service's own socket. */
const ask = async (socket: string, method: string, path: string): Promise<number> =>
  (await askSocket(join(box.data, "run", socket), method, path)).status;

/** The status of a write; what the stream of moves has used up of this client's rate is waited for. */
async function written(path: string, body?: object): Promise<number> {
  const { status } = await until(
    "the rate of this client allows it",
    () => box.call("POST", path, body),
    (answer) => answer.status !== 429,
  );
  return status;
}

/** While one is dead, the others answer for themselves. */
const SURVIVORS: Record<ServiceName, () => Promise<unknown>> = {
  controller: async () => expect((await box.call("GET", "/v1/axes")).status).toBe(200),
  bridge: async () => {
    expect((await box.call("GET", "/v1/axes")).status).toBe(200);
    expect(await written("/v1/axes/x1/commands", { type: "Nothing" })).toBe(400);
  },
  gateway: async () => {
    expect(await ask("dashboard.sock", "GET", "/v1/axes")).toBe(200);
    expect(await ask("controller.sock", "POST", "/v1/axes/nobody/stop")).toBe(404);
  },
  dashboard: async () => {
    expect((await box.call("GET", "/livez")).status).toBe(200);
    expect((await box.call("POST", "/v1/axes/nobody/stop")).status).toBe(404);
  },
};

async function killInMidMove(service: ServiceName): Promise<void> {
  await Promise.all(AXES.map((axis) => readyAxis(box, axis)));
  const round = [
    await move(
      "x1",
      ((await box.axis("x1")).measured.position ?? 0) > 400 ? 20 + offset() : 700 + offset(),
      100,
      MOVED.x1,
    ),
    await move(
      "z1",
      ((await box.axis("z1")).measured.position ?? 0) > 0 ? -300 - offset() : 300 + offset(),
      80,
      MOVED.z1,
    ),
  ];
  for (const axis of Object.keys(MOVED))
    await until(
      `${axis} moves`,
      () => box.drive(axis),
      ({ plant }) => Math.abs(plant.velocity) > 500,
    );
  const stream = streamMoves();
  await until(
    "the stream of moves runs",
    () => [...accepted.values()].filter(({ axis }) => axis === STREAMED).length,
    (taken) => taken > 0,
  );
  const newest = new Map<string, number>();
  for (const axis of Object.keys(MOVED)) newest.set(axis, (await box.drive(axis)).record.at(-1)?.seq ?? 0);
  const pid = box.pid(service);
  expect(pid, `${service} runs`).toBeDefined();
  process.kill(pid ?? 0, "SIGKILL");
  await SURVIVORS[service]();
  await until(
    `${service} is back in a new process`,
    () => box.pid(service),
    (now) => now !== undefined && now !== pid,
    BACK_LIMIT_MS,
  );
  await stream.end();
  const stories = await allEnded(box, [...accepted.keys()].slice(-500));
  for (const axis of Object.keys(MOVED)) {
    await until(
      `${axis} stands after ${service} was killed`,
      () => box.drive(axis),
      ({ moving }) => !moving,
      BACK_LIMIT_MS,
    );
    const since = (await box.drive(axis, newest.get(axis) ?? 0)).record;
    expect(starts(since), `${axis} started by itself after ${service} was killed`).toEqual([]);
  }
  if (service === "gateway" || service === "dashboard") {
    const moved = stories.filter(({ commandId }) => round.some((one) => one.commandId === commandId));
    for (const story of moved) expect(story.state, JSON.stringify(story)).toBe("succeeded");
  }
}

test.each(KILLS.map((service, n) => ({ service, n: n + 1 })))(
  "kill $n: $service dies in mid-move, the others serve on, it comes back and nothing starts by itself",
  ({ service }) => killInMidMove(service),
  180_000,
);

test("every accepted command has exactly one terminal event", async () => {
  expect(accepted.size).toBeGreaterThan(30);
  const terminal = new Map<string, string[]>();
  let cursor: string | null = "";
  while (cursor !== null) {
    const path: string = `/v1/events?limit=1000${cursor ? `&cursor=${cursor}` : ""}`;
    const { body } = await box.call<Page<CloudEvent>>("GET", path);
    for (const { type, commandid } of body.items) {
      const state = COMMAND_STATE_AFTER[type.split(".")[1] as EventType];
      if (commandid !== null && state !== undefined && TERMINAL_STATES.has(state))
        terminal.set(commandid, [...(terminal.get(commandid) ?? []), state]);
    }
    cursor = body.nextCursor;
  }
  for (const id of accepted.keys()) expect(terminal.get(id), id).toHaveLength(1);
});

test("no command was sent twice, and no start was anybody's but an accepted command's", async () => {
  for (const axis of AXES) {
    const record = starts((await box.drive(axis)).record).filter(({ kind }) => kind !== "home");
    const wanted = [...accepted].filter(([, command]) => command.axis === axis);
    for (const [id, { targetCounts }] of wanted) {
      const sent = record.filter(({ target }) => target === targetCounts);
      expect(sent.length, `${id} on ${axis}: ${JSON.stringify(sent)}`).toBeLessThanOrEqual(1);
      const { state } = await box.command(id);
      if (state === "succeeded") expect(sent, `${id} succeeded`).toHaveLength(1);
    }
    const known = new Set(wanted.map(([, { targetCounts }]) => targetCounts));
    expect(
      record.filter(({ target }) => !known.has(target ?? Number.NaN)),
      axis,
    ).toEqual([]);
  }
});

test("the log is whole", async () => {
  const { code, stdout, stderr } = await box.cli("log", "verify");
  expect(code, stdout + stderr).toBe(0);
});

test("the axes still take commands", async () => {
  for (const axis of AXES) {
    await readyAxis(box, axis);
    const moved = await box.run(axis, { type: "MoveAbsolute", position: 7, velocity: 100 });
    expect(moved.state, JSON.stringify(moved)).toBe("succeeded");
  }
}, 60_000);
