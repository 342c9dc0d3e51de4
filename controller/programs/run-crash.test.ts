import type { AxisId, RecordedEvent } from "@servofleet/contracts";
import { expect, it, onTestFinished } from "vitest";
import { type AppendOptions, type EventLog, LogError, type NewEvent } from "../event-log/event-log.ts";
import { openEventLog } from "../event-log/open-event-log.ts";
import { ControllerRig, testFleet } from "../testing/controller-rig.ts";
import { WrappedLog } from "../testing/wrapped-log.ts";

/** A real log whose process dies after so many appends with events of a run: everything later never happens. */
class MortalLog extends WrappedLog {
  #left: number;
  readonly appends: (readonly NewEvent[])[] = [];
  onDeath: () => void = () => undefined;
  dead = false;

  constructor(log: EventLog, left: number) {
    super(log);
    this.#left = left;
  }

  async append(events: readonly NewEvent[], options?: AppendOptions): Promise<readonly RecordedEvent[]> {
    const running = this.appends.some((one) => one.some(({ event }) => event.type === "RunStarted"));
    const counts = running || events.some(({ event }) => event.type === "RunStarted");
    if (this.dead || (counts && this.#left === 0)) {
      if (!this.dead) this.onDeath();
      this.dead = true;
      throw new LogError("log-closed", {}, "killed");
    }
    if (counts) this.#left -= 1;
    this.appends.push(events);
    return this.log.append(events, options);
  }
}

const command = (axis: string, position: number, compensation: object = { kind: "hold" }) => ({
  kind: "command",
  axis,
  command: { type: "MoveAbsolute", position },
  compensation,
});
const PROGRAM = {
  name: "pick",
  steps: [
    command("x1", 10, { kind: "return-to", position: 0 }),
    { kind: "dwell", ms: 1 },
    { kind: "parallel", branches: [[command("x1", 20)], [command("x2", 30, { kind: "stop" })]] },
  ],
};

/** A life of the box that ends after so many appends; then the next one, on the same files. */
async function twoLives(appends: number, program: object, fault = false) {
  let log: MortalLog | undefined;
  const first = await ControllerRig.start({
    openLog: async (directory, clock, random) => {
      log = new MortalLog(await openEventLog({ directory, clock, random, box: "test_box" }), appends);
      return log;
    },
  });
  await first.ready();
  const { bridge } = first;
  if (!log || !bridge) throw new Error("no rig");
  const mortal = log;
  mortal.onDeath = () => bridge.die();
  if (fault) {
    // The second branch fails while the first one moves: halts, a stop, and an offer.
    bridge.onOrder = (order) => {
      if (order.axis === ("x2" as AxisId) && order.action.kind === "move-absolute") {
        const problem = { slug: "following-error", detail: "stuck", remedy: "look" } as const;
        const { commandId, axis } = order;
        bridge.acknowledge(order);
        bridge.report({ type: "order-failed", commandId, axis, atUs: 1, positionCounts: 5, problem, frames: [] });
      } else if (order.action.kind === "move-absolute" && order.action.targetCounts === 2000) bridge.move(order);
      else bridge.finish(order);
    };
  }
  await first.ask("POST", "/v1/programs", { body: program });
  const started = await first.ask("POST", "/v1/programs/pick/runs");
  // An axis may well tell something after the run's last word, and die of that.
  const settled = () =>
    mortal.appends.some((one) => one.some(({ event }) => ["RunEnded", "RunCompensationOffered"].includes(event.type)));
  await first.until(() => mortal.dead || settled());
  const sent = bridge.orders.map(({ commandId }) => commandId);
  const over = settled();
  bridge.die();
  await first.end();
  const second = await ControllerRig.start({ directory: first.directory });
  onTestFinished(() => second.kill());
  await second.ready();
  return { second, started, sent, over, appends: mortal.appends };
}

const runEvents = async (box: ControllerRig) => (await box.events()).filter(({ stream }) => stream.startsWith("run-"));

/** Lives side by side: they mostly wait for the disk. */
const SIDE_BY_SIDE = 6;

it.each([
  ["goes well", false],
  ["fails", true],
])(
  "a run that %s is ended held wherever it is killed: nothing is sent twice, and nothing moves by itself",
  async (_how, fault) => {
    let over = false;
    for (let from = 0; !over; from += SIDE_BY_SIDE) {
      const lives = Array.from({ length: SIDE_BY_SIDE }, (_, n) => endsHeld(from + n, fault));
      over = (await Promise.all(lives)).some((ended) => ended);
    }
  },
  120_000,
);

async function endsHeld(appends: number, fault: boolean): Promise<boolean> {
  const { second, sent, over } = await twoLives(appends, PROGRAM, fault);
  const all = await second.events();
  const events = all.filter(({ stream }) => stream.startsWith("run-"));
  const begun = events.some(({ type }) => type === "RunStarted");
  expect([appends, events.filter(({ type }) => type === "RunEnded").length]).toEqual([appends, begun ? 1 : 0]);
  if (begun && (!over || fault)) expect(events.at(-1)?.data).toMatchObject({ outcome: "held" });
  expect(second.bridge?.orders).toEqual([]);
  expect(new Set(sent).size).toBe(sent.length);
  const accepted = all.filter(({ type }) => type === "MoveAccepted").map(({ commandId }) => commandId);
  expect(new Set(accepted).size).toBe(accepted.length);
  // What was never written down was never sent.
  const dispatched = all.filter(({ type }) => type === "DispatchStarted").map(({ commandId }) => commandId);
  expect(sent.filter((id) => !dispatched.includes(id))).toEqual([]);
  return over;
}

it("a step and its command are one append", async () => {
  const { appends } = await twoLives(100, PROGRAM);
  const batches = appends.filter((one) =>
    one.some(({ event }) => event.type === "RunStepStarted" && event.data.command),
  );
  expect(batches.length).toBeGreaterThan(0);
  for (const batch of batches)
    for (const { event } of batch)
      if (event.type === "RunStepStarted" && event.data.command)
        expect(batch.map(({ commandId }) => commandId)).toContain(event.data.command.commandId);
});

it("a program that may be resumed waits, paused, for a person: an overdue timer fires once, and then it goes on", async () => {
  const steps = [{ kind: "dwell", ms: 1, id: "rest" }, ...PROGRAM.steps];
  const { second, started } = await twoLives(1, { ...PROGRAM, steps, onRestart: "pause" });
  await second.until(async () => (await runEvents(second)).some(({ type }) => type === "RunStepEnded"));
  const types = (await runEvents(second)).map(({ type }) => type);
  expect(types).toEqual([
    "RunStarted",
    "RunStepStarted",
    "RunTimerSet",
    "RunPaused",
    "RunTimerSet",
    "RunTimerFired",
    "RunStepEnded",
  ]);
  expect(second.bridge?.orders).toEqual([]);
  const runId = (await runEvents(second))[0]?.stream.slice("run-".length) ?? started.body["runId"];
  expect(await second.ask("POST", `/v1/runs/${runId}/resume`)).toMatchObject({
    status: 200,
    body: { state: "running" },
  });
  await second.until(async () => (await runEvents(second)).at(-1)?.type === "RunEnded");
  expect((await runEvents(second)).at(-1)?.data).toMatchObject({ outcome: "completed" });
});

it("programs outlive a restart, also on a fleet that has lost an axis of theirs, and then say so", async () => {
  const first = await ControllerRig.start();
  await first.ready();
  await first.ask("POST", "/v1/programs", { body: PROGRAM });
  await first.end();
  const config = testFleet();
  const axes = config.axes.filter(({ id }) => id !== ("x2" as AxisId));
  const second = await ControllerRig.start({ directory: first.directory, config: { ...config, axes, groups: [] } });
  onTestFinished(() => second.kill());
  await second.ready();
  expect((await second.ask("GET", "/v1/programs")).body["items"]).toMatchObject([{ name: "pick", version: 1 }]);
  for (const what of ["dry-run", "runs"]) {
    const { status, body } = await second.ask("POST", `/v1/programs/pick/${what}`);
    expect([status, body.detail]).toEqual([404, "axis x2 is not configured any more"]);
  }
});
