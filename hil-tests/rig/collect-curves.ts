import { parseRfc3339, rfc3339 } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { GatewayClient } from "./gateway-client.ts";
import type { Curve, CurvePoint, ScenarioResult } from "./rig-result.ts";

/** The store is flushed about every 5 s; the last scenario's samples are there after that. */
const FLUSH_MS = 6000;
const POINTS = 600;
/** A little of what was before and after, so that a curve starts and ends at rest. */
const MARGIN_US = 150_000;

interface Sample {
  readonly at?: string;
  readonly from?: string;
  readonly to?: string;
  readonly position: number | Spread | null;
  readonly velocity: number | Spread | null;
  readonly followingError: number | Spread | null;
}
interface Spread {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** Fills in what the axes of each scenario did, from the product's own telemetry store. A store that cannot be read costs the curves only. */
export async function withCurves(
  gateway: GatewayClient,
  clock: Clock,
  results: readonly ScenarioResult[],
): Promise<readonly ScenarioResult[]> {
  if (results.every(({ steps }) => steps.length === 0)) return results;
  await new Promise<void>((resolve) => clock.after(FLUSH_MS, resolve));
  const filled: ScenarioResult[] = [];
  for (const result of results) filled.push(result.steps.length === 0 ? result : await filledIn(gateway, result));
  return filled;
}

async function filledIn(gateway: GatewayClient, result: ScenarioResult): Promise<ScenarioResult> {
  const curves: Curve[] = [];
  for (const axis of result.axes) {
    const span = `from=${rfc3339(result.fromUs - MARGIN_US)}&to=${rfc3339(result.toUs + MARGIN_US)}&points=${POINTS}`;
    const answer = await gateway
      .call<{ unitName: string; items: readonly Sample[] }>("GET", `/v1/axes/${axis}/telemetry?${span}`)
      .catch(() => undefined);
    if (answer?.status !== 200) continue;
    const { unitName, items } = answer.body;
    curves.push({ axis, unitName, points: items.flatMap(pointOf), targets: targetsOf(result, axis) });
  }
  return { ...result, curves };
}

function pointOf(sample: Sample): readonly CurvePoint[] {
  const from = parseRfc3339(sample.at ?? sample.from ?? "");
  const to = parseRfc3339(sample.at ?? sample.to ?? "");
  const position = middle(sample.position);
  if (from === undefined || to === undefined || position === null) return [];
  return [
    {
      atUs: (from + to) / 2,
      position,
      velocity: middle(sample.velocity),
      followingError: middle(sample.followingError),
    },
  ];
}

const middle = (value: number | Spread | null): number | null =>
  value === null || typeof value === "number" ? value : value.mean;

/** From acceptance to the end of each command that has a target. */
export function targetsOf(
  { commands, toUs }: Pick<ScenarioResult, "commands" | "toUs">,
  axis: string,
): Curve["targets"] {
  return commands.flatMap(({ axis: of, target, transitions }) => {
    const fromUs = parseRfc3339(transitions[0]?.at ?? "");
    if (of !== axis || target === null || fromUs === undefined) return [];
    return [{ fromUs, toUs: parseRfc3339(transitions.at(-1)?.at ?? "") ?? toUs, position: target }];
  });
}
