import type { AxisConfig, AxisId, AxisStatus, Report } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import { type Axis, initialAxis } from "../domain/axis-state.ts";
import { latestStatus } from "../domain/latest-status.ts";

interface Page {
  /** As the log has it. */
  committed: Axis;
  /** With everything that is on its way into the log: what the next decision sees. */
  current: Axis;
  reading: AxisStatus | null;
  /** Who waits for the next report. */
  waiting: PromiseWithResolvers<void> | null;
}

/** Every configured axis, as recorded and as decided so far, and the bridge's newest reading of it. */
export class AxisBook {
  readonly #pages: ReadonlyMap<AxisId, Page>;

  constructor(axes: readonly AxisConfig[]) {
    this.#pages = new Map(
      axes.map((config) => {
        const axis = initialAxis(config);
        return [config.id, { committed: axis, current: axis, reading: null, waiting: null }];
      }),
    );
  }

  get ids(): readonly AxisId[] {
    return [...this.#pages.keys()];
  }

  has(id: string): id is AxisId {
    return this.#pages.has(id as AxisId);
  }

  current(id: AxisId): Axis {
    return this.#page(id).current;
  }

  committed(id: AxisId): Axis {
    return this.#page(id).committed;
  }

  reading(id: AxisId): AxisStatus | null {
    return this.#page(id).reading;
  }

  stopGenerations(): Readonly<Record<AxisId, number>> {
    return Object.fromEntries(this.ids.map((id) => [id, this.current(id).stopGeneration]));
  }

  /** Every report may show where the axis is. Call it before the report's events are decided. */
  read(id: AxisId, report: Report): void {
    const page = this.#page(id);
    page.reading = latestStatus(page.reading, report, page.current);
    page.waiting?.resolve();
    page.waiting = null;
  }

  /** Resolves with the axis's next report, when its events are decided; never when there is none. */
  nextReport(id: AxisId): Promise<void> {
    const page = this.#page(id);
    page.waiting ??= Promise.withResolvers();
    return page.waiting.promise;
  }

  /** The bridge is lost: what it read says nothing about now. */
  forgetReadings(): void {
    for (const page of this.#pages.values()) page.reading = null;
  }

  decided(axis: Axis): void {
    this.#page(axis.id).current = axis;
  }

  recorded(axis: Axis): void {
    this.#page(axis.id).committed = axis;
  }

  /** Takes back everything that is not in the log. */
  takeBack(): void {
    for (const page of this.#pages.values()) page.current = page.committed;
  }

  #page(id: AxisId): Page {
    const page = this.#pages.get(id);
    assert(page !== undefined, `axis ${id} is not configured`);
    return page;
  }
}
