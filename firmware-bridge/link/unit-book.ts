import type { AxisId } from "@servofleet/contracts";
import { type Ghosts, NO_GHOSTS } from "./ghost-guard.ts";
import type { ModbusRequest } from "./link.ts";
import { breakerState, newHealth, type UnitHealth } from "./unit-health.ts";

/** At most one probe of a silent unit per line in this time. */
const PROBE_SPACING_MS = 100;
/** A probe that found no spare bus time for so long goes before the polls. */
const PROBE_PATIENCE_MS = 500;

/** Of a line that has no spare time, the probes of its silent units take no more than this share. */
const PROBE_SHARE_MAX = 0.05;

const FIRST_PROBE: ModbusRequest = { fn: "read", address: 0, quantity: 1 };

/** What a line knows of one unit. */
export interface UnitPage {
  readonly unit: number;
  readonly axis: AxisId | null;
  health: UnitHealth;
  ghosts: Ghosts;
  /** A register or object that the unit has answered for: the cheapest question. */
  probe: ModbusRequest;
}

/** Whether the unit can be asked together with others: it answers, and nothing late of it can be taken for something else. */
export const mayJoin = ({ ghosts, health }: UnitPage, nowMs: number): boolean =>
  ghosts.length === 0 && health.timeoutsInRow === 0 && health.openings === 0 && nowMs >= health.quarantineUntilMs;

/** The units of one line, silent ones included, and when the next silent one is asked again. */
export class UnitBook {
  readonly #pages = new Map<number, UnitPage>();
  #lastProbeMs = Number.NEGATIVE_INFINITY;
  #lastProbeTookMs = 0;

  constructor(units: readonly { readonly unit: number; readonly axis: AxisId | null }[]) {
    for (const { unit, axis } of units) this.#add(unit, axis);
  }

  /** The page of a unit, known from the configuration or not. */
  page(unit: number): UnitPage {
    return this.#pages.get(unit) ?? this.#add(unit, null);
  }

  pages(): readonly UnitPage[] {
    return [...this.#pages.values()];
  }

  /** The silent unit whose probe is due: the one that waits longest. `patient`: only if it has waited too long already. */
  dueProbe(nowMs: number, patient: boolean): UnitPage | undefined {
    if (nowMs < this.#lastProbeMs + PROBE_SPACING_MS) return undefined;
    if (patient && nowMs < this.#lastProbeMs + this.#lastProbeTookMs / PROBE_SHARE_MAX) return undefined;
    let due: UnitPage | undefined;
    for (const page of this.#pages.values()) {
      if (breakerState(page.health, nowMs) !== "half-open" || nowMs < page.health.quarantineUntilMs) continue;
      if (patient && nowMs < page.health.openUntilMs + PROBE_PATIENCE_MS) continue;
      if (!due || page.health.openUntilMs < due.health.openUntilMs) due = page;
    }
    return due;
  }

  mayProbe(page: UnitPage, nowMs: number): boolean {
    if (page.health.openings === 0) return true;
    return nowMs >= page.health.openUntilMs && nowMs >= this.#lastProbeMs + PROBE_SPACING_MS;
  }

  /** `tookMs`: what it costs the line when nobody answers. */
  probed(nowMs: number, tookMs: number): void {
    this.#lastProbeMs = nowMs;
    this.#lastProbeTookMs = tookMs;
  }

  /** The next moment at which a quarantine ends or a probe falls due; undefined when there is none. */
  nextChangeMs(nowMs: number): number | undefined {
    let next: number | undefined;
    const consider = (ms: number) => {
      if (ms > nowMs && (next === undefined || ms < next)) next = ms;
    };
    for (const { health } of this.#pages.values()) {
      consider(health.quarantineUntilMs);
      if (health.openings > 0) consider(Math.max(health.openUntilMs, this.#lastProbeMs + PROBE_SPACING_MS));
    }
    return next;
  }

  /** A fresh connection: silent units are asked again at once. */
  reconnected(): void {
    for (const page of this.#pages.values()) page.health = { ...page.health, openUntilMs: 0, quarantineUntilMs: 0 };
  }

  #add(unit: number, axis: AxisId | null): UnitPage {
    const page: UnitPage = { unit, axis, health: newHealth(), ghosts: NO_GHOSTS, probe: FIRST_PROBE };
    this.#pages.set(unit, page);
    return page;
  }
}
