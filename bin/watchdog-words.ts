import type { AxisConfig, LinkConfig } from "@servofleet/contracts";
import type { DriveProfile } from "@servofleet/firmware-bridge/profile/drive-profile";

/** A lost answer is followed by silence on the line: so many full waits must fit into a watchdog's time. */
const SILENCES = 3;
/** Least value that the configuration takes. */
const STOP_WAIT_MIN_MS = 5;

/** A setting under which a drive's watchdog would trip by itself. */
export interface WatchdogRefusal {
  readonly found: string;
  readonly fitting: string;
}

/** Watchdogs of drives that would hear less often from their master than they ask for, at rest or after lost answers. Pure. */
export function watchdogRefusals(
  link: LinkConfig,
  axes: readonly AxisConfig[],
  profileOf: (axis: AxisConfig) => DriveProfile,
): readonly WatchdogRefusal[] {
  return axes.flatMap((axis) => {
    const ms = profileOf(axis).data.servo?.watchdog?.ms;
    if (ms === undefined) return [];
    const who = `${axis.id}, whose own watchdog stops it after ${ms} ms without a telegram`;
    const quietMs = SILENCES * link.stopWaitMaxMs;
    const refusals: WatchdogRefusal[] = [];
    if (axis.poll.idleMs >= ms)
      refusals.push({
        found: `${who}, read every ${axis.poll.idleMs} ms at rest`,
        fitting: `poll.idleMs: ${Math.floor(ms / 2)} (${axis.id})`,
      });
    if (quietMs >= ms) {
      const fittingMs = Math.max(STOP_WAIT_MIN_MS, Math.floor(ms / (2 * SILENCES)));
      const found = `${who}, left alone for ${quietMs} ms when ${SILENCES} answers are lost`;
      refusals.push({ found, fitting: `stopWaitMaxMs: ${fittingMs}` });
    }
    return refusals;
  });
}
