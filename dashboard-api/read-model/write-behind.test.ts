import { FakeClock } from "@servofleet/runtime/fake-clock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change } from "./projection.ts";
import type { Checkpoint, ViewStore } from "./view-store.ts";
import { WriteBehind } from "./write-behind.ts";

interface Saved {
  readonly from: number;
  readonly to: number;
  readonly changes: readonly Change<string>[];
}

/** A file that notes what is saved into it, and fails when told to. */
class NotedStore {
  readonly saved: Saved[] = [];
  full = false;
  save = async (from: number, to: Checkpoint, changes: readonly Change<string>[]): Promise<void> => {
    if (this.full) throw new Error("disk full");
    this.saved.push({ from, to: to.position, changes });
  };
  close = async (): Promise<void> => undefined;
}

const at = (position: number): Checkpoint => ({ logId: "L", position, hash: "" });

describe("saves behind the answers", () => {
  let clock: FakeClock;
  let store: NotedStore;
  let disk: WriteBehind<string>;
  beforeEach(() => {
    clock = new FakeClock();
    store = new NotedStore();
    const ignored = () => undefined;
    disk = new WriteBehind(store as unknown as ViewStore<string>, clock, ignored, ignored);
  });
  afterEach(() => disk.close());

  const change = async (position: number, row: string, lazy = false) => {
    disk.put("row", row);
    await disk.kick(at(position), lazy);
    await clock.advance(1);
  };

  it("save the first change at once and those that follow it together, each row once", async () => {
    for (let position = 1; position <= 5; position++) await change(position, `at ${position}`);
    expect(store.saved).toEqual([{ from: 0, to: 1, changes: [["row", "at 1"]] }]);
    await clock.advance(250);
    expect(store.saved.slice(1)).toEqual([{ from: 1, to: 5, changes: [["row", "at 5"]] }]);
    await clock.advance(10_000);
    expect(store.saved, "a quiet log writes nothing").toHaveLength(2);
  });

  it("do not wait where it is worth a transaction, and wait for that on the way to the end of the log", async () => {
    await change(1, "first");
    await change(60_000, "far");
    expect(store.saved.map(({ to }) => to)).toEqual([1, 60_000]);
    await change(60_010, "on the way", true);
    await clock.advance(10_000);
    expect(store.saved.map(({ to }) => to)).toEqual([1, 60_000]);
    await change(60_020, "at the end");
    expect(store.saved.map(({ to }) => to)).toEqual([1, 60_000, 60_020]);
  });

  it("owe nothing once it is settled, and keep what a full disk refused until it takes it", async () => {
    await change(1, "first");
    await change(2, "second");
    await disk.settle();
    expect(store.saved.map(({ to }) => to)).toEqual([1, 2]);
    store.full = true;
    await change(3, "third");
    await clock.advance(250);
    expect(disk.failing).toBe(true);
    store.full = false;
    await clock.advance(1000);
    expect(store.saved.at(-1)).toEqual({ from: 2, to: 3, changes: [["row", "third"]] });
    expect(disk.failing).toBe(false);
  });
});
