import { type AgedTarget, type AxisView, type Quality, rfc3339 } from "@servofleet/contracts";
import type { Aged, LiveSample } from "../live/live-values.ts";
import type { AxisRow, TimedTarget } from "../projections/axis-row.ts";

/** A value older than this many poll periods of its axis is stale. */
const STALE_POLLS = 3;

/** The moment an answer speaks of: wall time for what the log tells, monotonic time for live values. */
export interface Now {
  readonly wallUs: number;
  readonly monotonicMs: number;
}

const ageSince = (us: number, now: Now) => Math.max(0, Math.round((now.wallUs - us) / 1000));

const aged = (target: TimedTarget | null, now: Now): AgedTarget | null =>
  target && { position: target.position, at: rfc3339(target.us), ageMs: ageSince(target.us, now) };

function qualityOf(row: AxisRow, live: LiveSample, ageMs: number): Quality {
  if (row.state === "offline" || live.quality === "bad") return "bad";
  const pollMs = live.moving ? row.pollMovingMs : row.pollIdleMs;
  return ageMs > STALE_POLLS * pollMs ? "stale" : live.quality;
}

/** Samples have stopped coming and the log knows a later position. */
function overtaken(row: AxisRow, live: Aged<LiveSample>, now: Now): boolean {
  if (row.position === null || row.position.us <= live.value.atUs) return false;
  return qualityOf(row, live.value, now.monotonicMs - live.bornMs) !== live.value.quality;
}

const NOTHING_MEASURED = { position: null, velocity: null, torque: null, temperature: null, at: null, ageMs: null };

function measuredOf(row: AxisRow, live: Aged<LiveSample> | undefined, now: Now): AxisView["measured"] {
  if (live && !overtaken(row, live, now)) {
    const { position, velocity, torque, temperature, atUs } = live.value;
    const ageMs = Math.max(0, Math.round(now.monotonicMs - live.bornMs));
    const at = rfc3339(atUs);
    return { position, velocity, torque, temperature, at, ageMs, quality: qualityOf(row, live.value, ageMs) };
  }
  // Without live values the newest recorded position is all there is: true when it was written, nobody knows since.
  const quality = row.state === "offline" ? "bad" : "uncertain";
  if (row.position === null) return { ...NOTHING_MEASURED, quality };
  const { position, us } = row.position;
  return { ...NOTHING_MEASURED, position, at: rfc3339(us), ageMs: ageSince(us, now), quality };
}

/** `GET /v1/axes/{axis}`: what the log tells of the axis, joined with its newest sample if there is one. */
export function axisView(row: AxisRow, live: Aged<LiveSample> | undefined, now: Now): AxisView {
  const measured = measuredOf(row, live, now);
  return {
    id: row.id,
    link: row.link,
    unit: row.unit,
    profile: row.profile,
    unitName: row.unitName,
    state: row.state,
    stopLatched: row.stopLatched,
    homed: row.homed,
    reconcileRequired: row.reconcileRequired,
    measured,
    commanded: aged(row.commanded, now),
    sent: aged(row.sent, now),
    acknowledged: aged(row.acknowledged, now),
    fault: row.fault && {
      code: row.fault.code,
      name: row.fault.name,
      remedy: row.fault.remedy,
      since: rfc3339(row.fault.sinceUs),
    },
    currentCommand: row.currentCommand,
    version: row.version,
    asOf: measured.at ?? rfc3339(row.changedUs),
    ageMs: measured.ageMs ?? ageSince(row.changedUs, now),
    quality: measured.quality,
  };
}
