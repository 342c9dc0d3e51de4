import { join } from "node:path";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { MemoryLink, type RegisterMap } from "../axis/testing/memory-link.ts";
import { axisConfig, ended, TestAxis } from "../axis/testing/test-axis.ts";
import { TestMotor } from "../axis/testing/test-motor.ts";

const PROFILE = join(import.meta.dirname, "..", "..", "docs", "example-drive.json");
const UNIT = 7;
const rates = { velocity: 20_000, acceleration: 400_000, deceleration: 400_000 };

/** The drive that docs/add-a-drive.md describes, written from its register table and from nothing else. */
class ExampleDrive implements RegisterMap {
  readonly motor: TestMotor;
  readonly writes: string[] = [];
  fault = 0;
  #torque = 0;
  readonly #words = new Map<number, number>();

  constructor(clock: FakeClock) {
    this.motor = new TestMotor(clock);
  }

  read(address: number, quantity: number): readonly number[] {
    return Array.from({ length: quantity }, (_, n) => this.#register(address + n));
  }

  write(address: number, values: readonly number[]): void {
    this.writes.push(`${address.toString(16)}:${values.join(",")}`);
    for (const [n, value] of values.entries()) this.#words.set(address + n, value);
    if (address === 0x0200) {
      this.#torque = values[0] ?? 0;
      this.fault = this.#torque === 0 ? 0 : this.fault;
    }
    const startsMove = address <= 0x0212 && address + values.length > 0x0213;
    if (startsMove && this.#torque === 1 && this.fault === 0)
      this.motor.go((this.#word(0x0212) << 16) | this.#word(0x0213), this.#word(0x0211) * 10);
  }

  trip(fault: number): void {
    this.fault = fault;
    this.motor.halt();
  }

  #word(address: number): number {
    return this.#words.get(address) ?? 0;
  }

  #register(address: number): number {
    const { position, velocity, running } = this.motor;
    if (address === 0x0100) return 0x00e8;
    if (address === 0x0200) return this.#torque;
    if (address === 0x0300) return (running ? 0 : 1) | (running ? 8 : 0);
    if (address === 0x0301) return this.fault;
    if (address === 0x0302) return (position >>> 16) & 0xffff;
    if (address === 0x0303) return position & 0xffff;
    if (address === 0x0304) return Math.round(velocity / 10) & 0xffff;
    return this.#word(address);
  }
}

async function rig() {
  const clock = new FakeClock();
  const drive = new ExampleDrive(clock);
  const axis = new TestAxis(
    clock,
    new MemoryLink("line_a", clock, new Map([[UNIT, drive]])),
    axisConfig("x1", UNIT, PROFILE),
  );
  await axis.until(() => axis.supervisor.status().reads >= 2);
  const done = async (action: Parameters<TestAxis["order"]>[0]) => {
    const reports = axis.order(action);
    await axis.until(() => ended(reports()));
    return reports().at(-1);
  };
  return { axis, drive, done };
}

test("the example of docs/add-a-drive.md drives an axis from its file alone: enable, move, stop, fault, reset", async () => {
  const { axis, drive, done } = await rig();
  expect(drive.writes).toEqual([]);
  expect(await done({ kind: "enable" })).toMatchObject({ type: "order-done" });
  expect(await done({ kind: "move-absolute", targetCounts: 30_000, ...rates })).toMatchObject({
    type: "order-done",
    positionCounts: 30_000,
  });
  // 20000 counts/s are 2000 steps, 400000 counts/s2 are 4000.
  expect(drive.writes.at(-1)).toBe("210:4000,2000,0,30000");
  const running = axis.order({ kind: "move-absolute", targetCounts: 90_000, ...rates });
  await axis.until(() => drive.motor.running && axis.supervisor.status().moving);
  axis.stop();
  await axis.until(() => ended(running()) && !drive.motor.running);
  expect(running().at(-1)).toMatchObject({ type: "order-aborted", by: "stop" });
  expect(drive.motor.position).toBeLessThan(90_000);
  drive.trip(2);
  await axis.until(() => axis.supervisor.status().fault !== null);
  expect(axis.supervisor.status().fault).toMatchObject({ code: "0x0002", name: "following error" });
  expect(await done({ kind: "reset-fault" })).toMatchObject({ type: "order-done" });
});

test("a unit that is not the example's drive is not driven by its file", async () => {
  const clock = new FakeClock();
  const foreign: RegisterMap = { read: (_, quantity) => new Array<number>(quantity).fill(0), write: () => undefined };
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, foreign]]));
  const axis = new TestAxis(clock, link, axisConfig("x1", UNIT, PROFILE));
  await clock.advance(1000);
  expect(axis.supervisor.status()).toMatchObject({
    online: false,
    offlineReason: expect.stringContaining("example-drive"),
  });
});
