import type { OrderAction, Report } from "@servofleet/contracts";
import { FakeClock, seededRandom } from "@servofleet/runtime/fake-clock";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ModbusRequest } from "../link/link.ts";
import { type Fate, MemoryLink, type Seen } from "./testing/memory-link.ts";
import { axisConfig, ENDS, TestAxis, typesOf } from "./testing/test-axis.ts";
import { TestCia402 } from "./testing/test-cia402.ts";
import { TestPathTable } from "./testing/test-path-table.ts";

const UNIT = 3;
const KINDS = [
  "enable",
  "disable",
  "reset-fault",
  "home",
  "move-absolute",
  "move-velocity",
  "halt",
  "write-parameter",
] as const;

type Step =
  | { readonly do: "order"; readonly kind: (typeof KINDS)[number]; readonly stale: boolean }
  | { readonly do: "stop" }
  | { readonly do: "recover" }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "faults"; readonly share: number }
  | { readonly do: "silence"; readonly ms: number }
  | { readonly do: "power-cycle" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("order" as const),
      kind: fc.constantFrom(...KINDS),
      stale: fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("order" as const),
      kind: fc.constantFrom("move-absolute" as const, "move-velocity" as const),
      stale: fc.constant(false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("stop" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("recover" as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 400 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("faults" as const), share: fc.constantFrom(0, 0, 0.1, 0.4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("silence" as const), ms: fc.integer({ min: 50, max: 1500 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("power-cycle" as const) }) },
);

function actionOf(kind: (typeof KINDS)[number], n: number, profile: string): OrderAction {
  const rates = { velocity: 50_000, acceleration: 500_000, deceleration: 500_000 };
  // Every target is its own, so that a frame tells which order it belongs to.
  if (kind === "move-absolute") return { kind, targetCounts: 1000 + n * 37, ...rates };
  if (kind === "move-velocity") return { kind, ...rates, minCounts: 0, maxCounts: 90_000 };
  if (kind === "home") return { kind, method: 17, velocity: 10_000, acceleration: 200_000, offsetCounts: 0 };
  if (kind === "halt") return { kind, deceleration: 400_000 };
  if (kind !== "write-parameter") return { kind };
  return {
    kind,
    parameter: profile.startsWith("lead") ? "followingErrorLimit" : "followingErrorWindow",
    value: 1000 + n,
  };
}

/** What a legal life of an order looks like, as one word of initials. */
const LIFE = /^(R|S?U?A?M?[DFBX])$/;
const INITIAL: Readonly<Record<string, string>> = {
  "order-refused": "R",
  "order-sent": "S",
  "order-unknown": "U",
  "order-acknowledged": "A",
  "motion-started": "M",
  "order-done": "D",
  "order-failed": "F",
  "order-aborted": "B",
  "order-unsettled": "X",
};

interface Life {
  readonly action: OrderAction;
  readonly reports: () => Report[];
}

async function play(profile: string, steps: readonly Step[], seed: number) {
  const clock = new FakeClock();
  const drive = profile.startsWith("lead") ? new TestPathTable(clock) : new TestCia402(clock);
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, axisConfig("x1", UNIT, profile));
  const random = seededRandom(seed);
  let share = 0;
  let silentUntilMs = 0;
  link.fate = (): Fate => {
    if (clock.monotonicMs() < silentUntilMs) return "lost-request";
    if (random.next() >= share) return "answer";
    return (["lost-reply", "lost-request", "damaged"] as const)[Math.floor(random.next() * 3)] ?? "answer";
  };
  await axis.until(() => axis.supervisor.status().reads >= 2);
  const lives: Life[] = [];
  const trespasses: Seen[] = [];
  let stoppedAt: number | null = null;
  const afterStop = () => {
    if (stoppedAt !== null)
      trespasses.push(
        ...link.seen.slice(stoppedAt).filter((seen) => seen.request.fn !== "read" && seen.class !== "stop"),
      );
    stoppedAt = null;
  };
  for (const [n, one] of steps.entries()) {
    if (one.do === "order") {
      // A stale order was decided before the stop: it must change nothing about "no motion follows a stop".
      if (!one.stale) afterStop();
      const action = actionOf(one.kind, n, profile);
      const more = one.stale ? { stopGeneration: axis.generation - 1 } : {};
      lives.push({ action, reports: axis.order(action, more) });
      await clock.advance(random.next() * 5);
    } else if (one.do === "recover") {
      afterStop();
      for (const kind of ["reset-fault", "enable"] as const) {
        const action = actionOf(kind, n, profile);
        lives.push({ action, reports: axis.order(action) });
        await clock.advance(120);
      }
    } else if (one.do === "stop") {
      afterStop();
      stoppedAt = link.seen.length;
      axis.stop();
    } else if (one.do === "wait") await clock.advance(one.ms);
    else if (one.do === "faults") share = one.share;
    else if (one.do === "silence") silentUntilMs = clock.monotonicMs() + one.ms;
    else drive.powerCycle();
  }
  share = 0;
  silentUntilMs = 0;
  afterStop();
  stoppedAt = link.seen.length;
  axis.stop();
  await clock.advance(30_000);
  afterStop();
  return { lives, link, axis, drive, trespasses };
}

const carries = (request: ModbusRequest, target: number, profile: string): boolean => {
  if (request.fn !== "write-many") return false;
  if (profile.startsWith("lead"))
    return request.address === 0x6200 && request.values[2] === target && request.values[0] === 1;
  return request.address === 0x607a && request.values[0] === target;
};

for (const profile of ["leadshine-icl-rs", "mitsubishi-mr-je-c"]) {
  test(`${profile}: under random faults every order ends exactly once, is sent at most once, and no write follows a stop`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.integer(), async (tail, seed) => {
        const steps: readonly Step[] = [{ do: "recover" }, ...tail];
        const { lives, link, axis, drive, trespasses } = await play(profile, steps, seed);
        for (const { action, reports } of lives) {
          const word = typesOf(reports())
            .map((type) => INITIAL[type] ?? "?")
            .join("");
          expect(word, `${action.kind} ${JSON.stringify(reports())}`).toMatch(LIFE);
          expect(reports().filter((report) => ENDS.has(report.type))).toHaveLength(1);
          if (action.kind !== "move-absolute") continue;
          const frames = link.writes().filter((seen) => carries(seen.request, action.targetCounts, profile));
          expect(frames.length).toBeLessThanOrEqual(1);
          if (word === "R") expect(frames).toEqual([]);
        }
        expect(trespasses).toEqual([]);
        expect(axis.supervisor.status().stopPending).toBe(false);
        expect(drive.motor.running).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
}
