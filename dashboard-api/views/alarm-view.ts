import { type AlarmView, parseRfc3339, rfc3339 } from "@servofleet/contracts";
import type { AlarmRow } from "../projections/alarm-history.ts";

/** State as a person reads it; a shelved alarm comes back when its time is over. */
export function alarmState(row: AlarmRow, wallUs: number): AlarmView["state"] {
  if (row.clearedUs !== null) return "cleared";
  if (row.shelvedUntil !== null && (parseRfc3339(row.shelvedUntil) ?? 0) > wallUs) return "shelved";
  return row.acknowledgedBy === null ? "active" : "acknowledged";
}

/** One of `GET /v1/alarms`. */
export const alarmView = (row: AlarmRow, wallUs: number): AlarmView => ({
  id: row.id,
  kind: row.kind,
  source: row.source,
  state: alarmState(row, wallUs),
  message: row.message,
  remedy: row.remedy,
  since: rfc3339(row.sinceUs),
  clearedAt: row.clearedUs === null ? null : rfc3339(row.clearedUs),
  acknowledgedBy: row.acknowledgedBy,
});
