import type { LinkConfig, LinkId } from "@servofleet/contracts";
import { takeLinePriority } from "@servofleet/firmware-bridge/bridge/line-priority";
import { lineCost } from "@servofleet/firmware-bridge/link/bus-cost";
import { createLink } from "@servofleet/firmware-bridge/link/create-link";
import type { LinkParts } from "@servofleet/firmware-bridge/link/line-parts";
import type { Link } from "@servofleet/firmware-bridge/link/link";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { systemRandom } from "@servofleet/runtime/system-clock";
import { BenchError } from "./bench-error.ts";

const UP_LIMIT_MS = 5000;
const LOOK_MS = 5;

/** A link of the bridge on a paced line. */
export interface LineLinkPlan {
  readonly path: string;
  readonly baud: number;
  /** Silence before a request as declared, microseconds; null keeps t3.5. */
  readonly gapUs: number | null;
  /** Units 1 to this. */
  readonly units: number;
  readonly stopWaitMaxMs: number;
}

/** How the configuration names such a line. */
const lineConfig = ({ path, baud, gapUs, stopWaitMaxMs }: LineLinkPlan) =>
  ({
    id: "bench_line" as LinkId,
    kind: "modbus-rtu",
    port: path,
    baud,
    parity: "none",
    stopBits: 1,
    stopWaitMaxMs,
    ...(gapUs !== null && { silenceUs: gapUs }),
  }) satisfies LinkConfig;

/** What the price of a transaction on it depends on, by the bridge's own reckoning. */
export const lineLinkCost = (plan: LineLinkPlan) => lineCost(lineConfig(plan));

/** Opens the link at the priority of a bridge and waits until it is up; whoever calls must close it. */
export async function openLineLink(plan: LineLinkPlan, clock: Clock): Promise<Link> {
  const parts: LinkParts = {
    clock,
    random: systemRandom(),
    units: Array.from({ length: plan.units }, (_, index) => ({ unit: index + 1, axis: null })),
    log: { info: () => undefined, warn: () => undefined },
  };
  takeLinePriority();
  const link = createLink(lineConfig(plan), parts);
  link.open();
  const limitMs = clock.monotonicMs() + UP_LIMIT_MS;
  while (!link.up) {
    if (clock.monotonicMs() > limitMs)
      throw new BenchError("too-slow", { reason: link.downReason }, "the link does not come up");
    await sleep(clock, LOOK_MS);
  }
  return link;
}
