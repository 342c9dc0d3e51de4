import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { DriveProfile } from "../profile/drive-profile.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { BlockReader } from "./block-reader.ts";
import { MemoryLink } from "./testing/memory-link.ts";

const shipped = loadProfile("mitsubishi-mr-je-c", ".");
const BLOCKS = [["statusword"], ["actualPosition"], ["actualVelocity"]];
const addressOf = (name: string) => Number(shipped.fact(name).address);

function reader(readsAcrossHoles: boolean, hasHole: boolean) {
  const { data } = shipped;
  const profile = new DriveProfile({
    ...data,
    registersMax: 100,
    quirks: { ...data.quirks, readsAcrossHoles },
  });
  const clock = new FakeClock();
  const known = new Set(
    BLOCKS.flat().flatMap((name) => [
      addressOf(name),
      ...(shipped.fact(name).words === 2 ? [addressOf(name) + 1] : []),
    ]),
  );
  const read = (address: number, quantity: number) =>
    Array.from({ length: quantity }, (_, i) => {
      if (hasHole && !known.has(address + i)) throw 2;
      return known.has(address + i) ? (address + i) & 0xff : 0xdead;
    });
  const link = new MemoryLink("line_t", clock, new Map([[1, { read, write: () => undefined }]]));
  return { link, clock, blocks: new BlockReader(link, 1, profile) };
}

async function pass(readsAcrossHoles: boolean, hasHole: boolean, passes = 1) {
  const { link, clock, blocks } = reader(readsAcrossHoles, hasHole);
  for (let before = 1; before < passes; before++) {
    const earlier = blocks.read(BLOCKS);
    await clock.advance(20);
    await earlier;
    link.seen.length = 0;
  }
  const done = blocks.read(BLOCKS);
  await clock.advance(20);
  return { requests: link.seen.length, read: await done };
}

test("where the profile does not say that it may, each block is read for itself", async () => {
  expect((await pass(false, false)).requests).toBe(3);
});

test("one read over the holes brings the same values", async () => {
  const apart = await pass(false, false);
  const merged = await pass(true, false);
  expect(merged.requests).toBe(1);
  expect(merged.read.values).toEqual(apart.read.values);
  expect(merged.read.position).toBeDefined();
});

test("a drive that refuses a hole is read without it in the same pass, and never asked over it again", async () => {
  const apart = await pass(false, false);
  const first = await pass(true, true);
  expect(first.read.values).toEqual(apart.read.values);
  expect(first.requests).toBe(4);
  expect((await pass(true, true, 2)).requests).toBe(3);
});
