import type { OrderAction } from "@servofleet/contracts";
import { never } from "@servofleet/runtime/assert";
import type { DriveFacts } from "../handshake/drive-facts.ts";
import type { ProfileData } from "../profile/profile-schema.ts";

/** How long the outcome of a write without answer is looked for by reading. */
export const SETTLE_LIMIT_MS = 3000;

/**
 * Whether a reading proves that a write without answer was applied. Pure; only proof counts: `false` means "not proven",
 * never "not applied". `before` is the last reading before the write.
 */
export function provesApplied(
  action: OrderAction,
  before: DriveFacts,
  now: DriveFacts,
  settle: ProfileData["settle"],
): boolean {
  const wasAtRest = before.moving === false && before.busy === false;
  const runs = now.moving === true || now.busy === true;
  switch (action.kind) {
    case "enable":
      return now.enabled === true;
    case "disable":
      return now.enabled === false;
    case "reset-fault":
      return now.fault === false;
    case "halt":
      return now.moving === false && now.busy === false;
    case "home":
      return wasAtRest && (runs || (before.homed === false && now.homed === true));
    case "move-absolute": {
      if (wasAtRest && runs) return true;
      if (!wasAtRest && now.taken === true && before.taken === false) return true;
      const near =
        now.positionCounts !== null &&
        Math.abs(now.positionCounts - action.targetCounts) <= settle.positionWindowCounts;
      return near && now.moving === false && now.busy === false && now.complete === true;
    }
    case "move-velocity": {
      if (wasAtRest) return now.moving === true;
      const speed = now.velocityCountsPerS;
      return (
        speed !== null && Math.abs(speed - action.velocity) <= settle.stillCountsPerS + 0.05 * Math.abs(action.velocity)
      );
    }
    case "write-parameter":
      return false;
    default:
      return never(action);
  }
}
