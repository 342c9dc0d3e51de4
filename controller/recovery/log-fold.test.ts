import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AxisId, RecordedEvent } from "@servofleet/contracts";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { describe, expect, it, onTestFinished } from "vitest";
import type { NewEvent } from "../event-log/event-log.ts";
import { openEventLog } from "../event-log/open-event-log.ts";
import type { SqliteEventLog } from "../event-log/sqlite-event-log.ts";
import { AxisBook } from "../inbox/axis-book.ts";
import { ControllerRig } from "../testing/controller-rig.ts";
import { foldLog } from "./fold-log.ts";
import { foldFingerprint, LogFold } from "./log-fold.ts";

const x1 = "x1" as AxisId;

/** A controller's real life: a move that ends, one that is cut off by the end of the process. */
async function life() {
  const box = await (await ControllerRig.start()).ready();
  const { bridge } = box;
  if (bridge) bridge.onOrder = (order) => bridge.move(order, 100);
  for (const position of [50, 60]) {
    await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "MoveAbsolute", position } });
    await box.until(async () => (await box.events("axis-x1")).some(({ type }) => type === "MotionStarted"));
  }
  const events = await box.log.read(0, 1000);
  await box.end();
  onTestFinished(() => rm(box.directory, { recursive: true, force: true }));
  return { directory: box.directory, config: box.config, events };
}

it("a fold that was written and read back at any position goes on as if nothing had been", async () => {
  const { config, events } = await life();
  expect(events.length).toBeGreaterThan(10);
  const whole = new LogFold(config);
  whole.take(events);
  expect([...whole.axes][0]?.open.size).toBeGreaterThan(0);
  for (let cut = 0; cut <= events.length; cut++) {
    const first = new LogFold(config);
    first.take(events.slice(0, cut));
    const rest = new LogFold(config, first.text());
    expect(rest.text()).toBe(first.text());
    rest.take(events.slice(cut));
    expect(JSON.parse(rest.text())).toEqual(JSON.parse(whole.text()));
  }
});

describe("a start from a snapshot", () => {
  /** A log that is long enough to be worth one. */
  async function longLog() {
    const { directory, config } = await life();
    const open = () => openEventLog({ directory, clock: systemClock(), random: systemRandom(), box: config.box });
    const log = await open();
    const event: NewEvent = { stream: "axis-x1", event: { type: "AxisWentOffline", data: { reason: "again" } } };
    for (let n = 0; n < 21; n++) await log.append(Array<NewEvent>(1000).fill(event));
    const asked = await started(log, config);
    expect(asked.book.committed(x1).version).toBeGreaterThan(21_000);
    await log.snapshots.look();
    await log.close();
    return { file: join(directory, "snapshot.json"), config, open, version: asked.book.committed(x1).version };
  }
  /** Folds into a new book; counts the events that were read for it. */
  async function started(log: SqliteEventLog, config: ControllerRig["config"]) {
    const book = new AxisBook(config.axes);
    let read = 0;
    const counted = async (after: number, limit: number): Promise<readonly RecordedEvent[]> => {
      const page = await log.read(after, limit);
      read += page.length;
      return page;
    };
    const { snapshots } = log;
    await foldLog({ ...log, snapshots, read: counted } as unknown as SqliteEventLog, book, config);
    return { book, read };
  }

  it("reads what came after it and nothing else, and knows the same", async () => {
    const { config, open, version } = await longLog();
    const log = await open();
    const [late] = await log.append([
      { stream: "axis-x1", event: { type: "AxisWentOffline", data: { reason: "late" } } },
    ]);
    const { book, read } = await started(log, config);
    expect(read).toBe(1);
    expect(book.committed(x1)).toMatchObject({ version: version + 1, offlineReason: "late" });
    expect(late?.version).toBe(version + 1);
    await log.close();
  });

  it.each([
    ["is not whole", (text: string) => text.slice(0, -20)],
    ["was changed", (text: string) => text.replace("again", "never")],
    ["is of another log", (text: string) => text.replace(/"hash":"../, '"hash":"zz')],
    ["is of other code", (text: string) => text.replace(/"fingerprint":"../, '"fingerprint":"zz')],
    ["is ahead of the log", (text: string) => text.replace(/"position":\d+/, '"position":99999999')],
  ])("that %s reads the whole log instead", async (_name, harm) => {
    const { file, config, open, version } = await longLog();
    const text = await readFile(file, "utf8");
    expect(harm(text)).not.toBe(text);
    await writeFile(file, harm(text));
    const log = await open();
    const { book, read } = await started(log, config);
    expect(read).toBe(log.position);
    expect(book.committed(x1).version).toBe(version);
    await log.close();
  });

  it("is not taken for another configuration", async () => {
    const { config } = await life();
    const [axis] = config.axes;
    if (!axis) throw new Error("the rig has an axis");
    expect(foldFingerprint({ ...config, axes: [{ ...axis, countsPerUnit: 7 }] })).not.toBe(foldFingerprint(config));
    expect(foldFingerprint(config)).toBe(foldFingerprint(structuredClone(config)));
  });
});
