import type { LinkConfig } from "@servofleet/contracts";
import { createLink } from "@servofleet/firmware-bridge/link/create-link";
import type { Link } from "@servofleet/firmware-bridge/link/link";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import type { BenchContext } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";

const UP_LIMIT_MS = 5000;
const LOOK_MS = 5;

/** The same reads through a link of the bridge, per second. */
export async function linkRate(
  config: LinkConfig,
  read: { readonly unit: number; readonly quantity: number; readonly count: number },
  { clock, random }: Pick<BenchContext, "clock" | "random">,
): Promise<number> {
  const link = createLink(config, {
    clock,
    random,
    units: [{ unit: read.unit, axis: null }],
    log: { info: () => undefined, warn: () => undefined },
  });
  link.open();
  try {
    await untilUp(link, clock);
    const startedMs = clock.monotonicMs();
    for (let asked = 0; asked < read.count; asked++)
      await link.transact(read.unit, { fn: "read", address: 0, quantity: read.quantity }, { class: "command" });
    return (read.count * 1000) / (clock.monotonicMs() - startedMs);
  } finally {
    await link.close();
  }
}

async function untilUp(link: Link, clock: Clock): Promise<void> {
  const limitMs = clock.monotonicMs() + UP_LIMIT_MS;
  while (!link.up) {
    if (clock.monotonicMs() > limitMs)
      throw new BenchError("too-slow", { reason: link.downReason }, "the link does not come up");
    await sleep(clock, LOOK_MS);
  }
}
