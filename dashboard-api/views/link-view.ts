import { type LinkStats, type LinkView, rfc3339 } from "@servofleet/contracts";
import type { Aged } from "../live/live-values.ts";
import type { LinkRow } from "../projections/link-board.ts";

/** Figures come about once a second; older ones say nothing about now. */
const FIGURES_STALE_MS = 5000;
const AS_CONFIGURED = { idle: 1, moving: 1 };
const NO_ERRORS = { timeout: 0, crc: 0, exception: 0, mismatch: 0, late: 0 };

/** `GET /v1/links/{id}`: state from the log, figures live; load and rate are null without fresh figures. */
export function linkView(
  row: LinkRow,
  stats: Aged<LinkStats> | undefined,
  isOffline: (axis: string) => boolean,
  monotonicMs: number,
): LinkView {
  const figures = stats?.value;
  const fresh = stats !== undefined && monotonicMs - stats.bornMs <= FIGURES_STALE_MS;
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    since: rfc3339(row.sinceUs),
    load: fresh ? stats.value.load : null,
    budget: { plannedLoad: figures?.plannedLoad ?? null, stopBoundMs: figures?.stopBoundMs ?? null },
    transactionsPerS: fresh ? stats.value.transactionsPerS : null,
    pollStretch: fresh ? (stats.value.pollStretch ?? AS_CONFIGURED) : null,
    groupStart: figures?.groupStart ?? null,
    errors: figures ? { ...NO_ERRORS, ...figures.errors } : NO_ERRORS,
    units: row.units.map(({ unit, axis }) => {
      const seen = figures?.units.find((figure) => figure.unit === unit);
      const breaker = seen?.breaker ?? (isOffline(axis) ? "open" : "closed");
      return { unit, axis, breaker, lastReplyAt: seen?.lastReplyAtUs == null ? null : rfc3339(seen.lastReplyAtUs) };
    }),
  };
}
