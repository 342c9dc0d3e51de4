import fc from "fast-check";
import { expect, test } from "vitest";
import { benchPlant, Motor } from "./motor.ts";
import { ProfileDemand } from "./profile-demand.ts";

const DT = 0.0005;
const ramps = { acceleration: 500_000, deceleration: 400_000 };

test("the demand reaches any target exactly, within its speed and ramps, and never passes it", () => {
  const target = fc.integer({ min: -200_000, max: 200_000 });
  const speed = fc.integer({ min: 10_000, max: 300_000 });
  fc.assert(
    fc.property(target, speed, (to, fast) => {
      const demand = new ProfileDemand();
      demand.goal = { kind: "position", target: to, speed: fast, ...ramps };
      let fastest = 0;
      let steepest = 0;
      let farthest = 0;
      for (let n = 0; n < 100_000 && !demand.atRest; n++) {
        const before = demand.velocity;
        demand.step(DT);
        fastest = Math.max(fastest, Math.abs(demand.velocity));
        farthest = Math.max(farthest, Math.abs(demand.position));
        if (!demand.atRest) steepest = Math.max(steepest, Math.abs(demand.velocity - before) / DT);
      }
      expect(fastest).toBeLessThanOrEqual(fast);
      expect(steepest).toBeLessThanOrEqual(ramps.acceleration * 1.000001);
      expect(farthest).toBeLessThanOrEqual(Math.abs(to) + 0.5);
      expect(demand.position).toBe(to);
    }),
    { numRuns: 20 },
  );
});

test("a target set in mid-move behind the axis is reached without a jump", () => {
  const demand = new ProfileDemand();
  demand.goal = { kind: "position", target: 100_000, speed: 100_000, ...ramps };
  for (let n = 0; n < 800; n++) demand.step(DT);
  demand.goal = { kind: "position", target: 0, speed: 100_000, ...ramps };
  let longest = 0;
  for (let n = 0; n < 100_000 && !demand.atRest; n++) {
    const before = demand.position;
    demand.step(DT);
    longest = Math.max(longest, Math.abs(demand.position - before));
  }
  expect(longest).toBeLessThanOrEqual(100_000 * DT + 1);
  expect(demand.position).toBe(0);
});

test("a stop takes v²/2a of way", () => {
  const demand = new ProfileDemand();
  demand.goal = { kind: "velocity", speed: 100_000, ...ramps };
  for (let n = 0; n < 2000; n++) demand.step(DT);
  const from = demand.position;
  demand.goal = { kind: "stop", deceleration: 400_000 };
  while (!demand.atRest) demand.step(DT);
  expect(demand.position - from).toBeCloseTo(12_500, 0);
});

function powered() {
  const motor = new Motor(benchPlant);
  motor.power(true);
  return motor;
}

function run(motor: Motor, seconds: number) {
  for (let n = 0; n < seconds / DT; n++) motor.step();
}

test("without power the shaft coasts to rest and no goal is taken", () => {
  const motor = powered();
  motor.go({ kind: "velocity", speed: 50_000, ...ramps });
  run(motor, 0.5);
  motor.power(false);
  motor.go({ kind: "velocity", speed: 50_000, ...ramps });
  run(motor, 2);
  expect(motor.velocity).toBe(0);
  expect(motor.idle).toBe(true);
  expect(motor.followingError).toBe(0);
});

test("power coming back starts from where the shaft stands", () => {
  const motor = powered();
  motor.power(false);
  motor.push(5000);
  motor.power(true);
  run(motor, 1);
  expect(motor.position).toBe(5000);
});

test("the shaft never leaves the hard stops", () => {
  const motor = powered();
  motor.go({ kind: "velocity", speed: -400_000, ...ramps });
  run(motor, 3);
  expect(motor.position).toBe(benchPlant.hardStops.negative);
  expect(motor.torque).toBe(-benchPlant.torqueMax);
});

test("a motor at rest is idle and stays where it is", () => {
  const motor = powered();
  motor.go({ kind: "position", target: 1234, speed: 50_000, ...ramps });
  run(motor, 1);
  expect(motor.idle).toBe(true);
  expect(motor.position).toBe(1234);
});

test("the shaft does not swing beyond its target, not even after it turned round at full speed", () => {
  const turnAfter = fc.integer({ min: 1, max: 1500 });
  const share = fc.double({ min: 1.6, max: 5, noNaN: true });
  const ramp = fc.constantFrom(50_000, 500_000, 3_000_000);
  fc.assert(
    fc.property(turnAfter, share, ramp, (steps, ways, deceleration) => {
      const motor = new Motor({ ...benchPlant, hardStops: { negative: -1e9, positive: 1e9 } });
      motor.power(true);
      const rates = { speed: 200_000, acceleration: deceleration, deceleration };
      motor.go({ kind: "position", target: -1e7, ...rates });
      for (let n = 0; n < steps; n++) motor.step();
      const target = Math.round(motor.position + ways * (rates.speed ** 2 / deceleration));
      motor.go({ kind: "position", target, ...rates });
      let farthest = Number.NEGATIVE_INFINITY;
      for (let n = 0; n < 100_000 && !motor.idle; n++) {
        motor.step();
        farthest = Math.max(farthest, motor.position);
      }
      expect(motor.position).toBe(target);
      expect(farthest).toBeLessThanOrEqual(target + 0.5);
    }),
    { numRuns: 30 },
  );
});
