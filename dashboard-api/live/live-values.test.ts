import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AxisId, LiveMessage } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freshAxis, withConfig } from "../projections/axis-row.ts";
import { type Rig, startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";
import { axisView } from "../views/axis-view.ts";
import { LiveValues } from "./live-values.ts";

const sample = (atUs: number, more: object = {}): LiveMessage => ({
  type: "sample",
  axis: "x1" as AxisId,
  atUs,
  position: 12.5,
  velocity: 3,
  followingError: 0,
  torque: 2.1,
  temperature: null,
  moving: false,
  quality: "good",
  ...more,
});
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 10 });

describe("the age of a value", () => {
  const config = testFleet().axes[0];
  const row = { ...withConfig(freshAxis("x1", 0), config!, 0), state: "standstill" as const };
  const seen = (clock: FakeClock, live: LiveValues, more: object = {}) =>
    axisView({ ...row, ...more }, live.sample("x1"), { wallUs: clock.wallUs(), monotonicMs: clock.monotonicMs() });

  it("is the sample's own delay plus the time since it arrived, whatever the wall clock does", async () => {
    const clock = new FakeClock();
    const live = new LiveValues(clock);
    live.take(sample(clock.wallUs() - 7000));
    expect(seen(clock, live).measured).toMatchObject({ position: 12.5, ageMs: 7, quality: "good" });
    await clock.advance(100);
    clock.stepWall(3_600_000_000);
    expect(seen(clock, live).measured.ageMs).toBe(107);
    clock.stepWall(-7_200_000_000);
    expect(seen(clock, live).measured.ageMs).toBe(107);
    live.take(sample(clock.wallUs() + 5_000_000));
    expect(seen(clock, live).measured.ageMs).toBe(0);
  });

  it("turns a value stale after three poll periods, which are shorter while the axis moves", async () => {
    const clock = new FakeClock();
    const live = new LiveValues(clock);
    live.take(sample(clock.wallUs()));
    await clock.advance(600);
    expect(seen(clock, live).quality).toBe("good");
    await clock.advance(1);
    expect(seen(clock, live).quality).toBe("stale");
    live.take(sample(clock.wallUs(), { moving: true }));
    await clock.advance(61);
    expect(seen(clock, live).quality).toBe("stale");
  });

  it("calls the last value of a drive that is offline bad, however young it is", () => {
    const clock = new FakeClock();
    const live = new LiveValues(clock);
    live.take(sample(clock.wallUs()));
    expect(seen(clock, live, { state: "offline" }).measured).toMatchObject({ position: 12.5, quality: "bad" });
    live.take(sample(clock.wallUs(), { quality: "uncertain" }));
    expect(seen(clock, live).quality).toBe("uncertain");
  });
});

describe("the live socket", () => {
  let directory: string;
  let path: string;
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  const log = new LogBuilder();
  log.configured(testFleet());
  log.state({ position: 1 });
  let rig: Rig;

  const listen = () =>
    new Promise<void>((resolve) => {
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
      }).listen(path, resolve);
    });
  const say = (message: LiveMessage | string) => {
    for (const socket of sockets) socket.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`);
  };
  const hangUp = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "servofleet-live-"));
    path = join(directory, "live.sock");
    rig = await startRig(new MemoryLogSource(log.events), { liveSocketPath: path });
  });
  afterEach(async () => {
    await rig.close();
    await hangUp();
    await rm(directory, { recursive: true, force: true });
  });

  it("may appear late, talk nonsense, vanish and come back: values follow, and grow old meanwhile", async () => {
    const clock = systemClock();
    const measured = async () => (await rig.get("/v1/axes/x1")).body.measured;
    expect((await measured()).quality).toBe("uncertain");
    await listen();
    await until(() => expect(sockets.size).toBe(1));
    say("not json");
    say(sample(clock.wallUs(), { position: 42 }));
    await until(async () => expect(await measured()).toMatchObject({ position: 42, torque: 2.1 }));
    await hangUp();
    await until(async () => expect((await measured()).quality).toBe("stale"));
    await listen();
    await until(() => expect(sockets.size).toBe(1));
    say(sample(clock.wallUs(), { position: 43 }));
    await until(async () => expect((await measured()).position).toBe(43));
  });

  it("gives every link its figures", async () => {
    await listen();
    await until(() => expect(sockets.size).toBe(1));
    const errors = { timeout: 1, crc: 2, exception: 0, mismatch: 0, late: 3 };
    const atUs = systemClock().wallUs();
    const units = [{ unit: 3, axis: "x1" as AxisId, breaker: "half-open" as const, lastReplyAtUs: atUs }];
    const stats = {
      link: "line_a" as never,
      atUs,
      load: 0.62,
      transactionsPerS: 88.1,
      plannedLoad: 0.58,
      stopBoundMs: 14.2,
      errors,
      units,
    };
    say({ type: "link-stats", stats });
    await until(async () => {
      const { body } = await rig.get("/v1/links/line_a");
      expect(body).toMatchObject({
        load: 0.62,
        transactionsPerS: 88.1,
        budget: { plannedLoad: 0.58, stopBoundMs: 14.2 },
        errors,
      });
      expect(body.units[0]).toMatchObject({ unit: 3, breaker: "half-open" });
    });
  });

  it("is passed on conflated: the newest value of an axis, far fewer messages than samples", async () => {
    await listen();
    await until(() => expect(sockets.size).toBe(1));
    const seen: { id: string; measured: { position: number } }[] = [];
    const outgoing = request({ socketPath: rig.socketPath, path: "/v1/live?axis=x1", agent: false }, (response) => {
      let rest = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        const blocks = (rest + chunk).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) if (block.startsWith("data: ")) seen.push(JSON.parse(block.slice(6)));
      });
    });
    outgoing.on("error", () => undefined).end();
    await until(() => expect(seen).toHaveLength(1));
    const clock = systemClock();
    for (let n = 1; n <= 1000; n++) say(sample(clock.wallUs(), { position: n }));
    await until(() => expect(seen.at(-1)?.measured.position).toBe(1000));
    // One in 50 ms while the samples pass, however slow the host is at that.
    expect(seen.length).toBeLessThan(250);
    expect(new Set(seen.map((axis) => axis.id))).toEqual(new Set(["x1"]));
    outgoing.destroy();
  });
});
