import type { LinkConfig, LinkId } from "@servofleet/contracts";

import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { createLink } from "../create-link.ts";
import type { Link } from "../link.ts";

/** How long a test believes in a condition. */
const LIMIT_MS = 80_000;
/** For an answer that comes: a busy test host must not look like a silent drive. */
export const PATIENCE_MS = 10_000;
/** For one that does not come: long enough for a host that is busy with other tests, short enough to wait for in vain. */
export const REPLY_WAIT_MS = 250;

export const clock = systemClock();
export const random = systemRandom();
const quiet = { info: () => undefined, warn: () => undefined };

/** Resolves as soon as the condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const limitMs = clock.monotonicMs() + LIMIT_MS;
  while (!condition()) {
    if (clock.monotonicMs() > limitMs) throw new Error(`never came true: ${what}`);
    await new Promise<void>((resolve) => clock.after(2, resolve));
  }
}

export const rtuConfig = (path: string, stopWaitMaxMs = PATIENCE_MS): LinkConfig => ({
  id: "line_t" as LinkId,
  kind: "modbus-rtu",
  port: path,
  baud: 115_200,
  parity: "none",
  stopBits: 1,
  stopWaitMaxMs,
});

export const tcpConfig = (port: number, stopWaitMaxMs = PATIENCE_MS): LinkConfig => ({
  id: "cell_t" as LinkId,
  kind: "modbus-tcp",
  host: "127.0.0.1",
  port,
  stopWaitMaxMs,
});

/** An open link on a real port or socket. */
export async function openLink(config: LinkConfig, units: readonly number[] = [1, 2, 3]): Promise<Link> {
  const link = createLink(config, {
    clock,
    random,
    units: units.map((unit) => ({ unit, axis: null })),
    log: quiet,
  });
  link.open();
  await until(() => link.up, "link up");
  return link;
}
