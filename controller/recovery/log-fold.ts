import { hash as digest } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import {
  type AxisId,
  axisStream,
  boxStream,
  type FleetConfig,
  type RecordedEvent,
  streamSubject,
  typed,
} from "@servofleet/contracts";
import { type Axis, initialAxis } from "../domain/axis-state.ts";
import { evolveRecorded } from "../domain/evolve.ts";
import type { SnapshotFold } from "../event-log/log-snapshots.ts";
import { ProgramShelf, type ShelfText } from "../programs/program-shelf.ts";

interface FoldText {
  readonly axes: readonly (Omit<Axis, "config" | "open"> & { readonly open: readonly unknown[] })[];
  readonly linkUp: readonly (readonly [string, boolean])[];
  readonly found: unknown;
  readonly shelf: ShelfText;
}

/** All that a start needs of the log: the axes, the links, and the configuration as last recorded. */
export class LogFold implements SnapshotFold {
  readonly #axes = new Map<AxisId, Axis>();
  readonly #streams = new Map<string, AxisId>();
  readonly #box: string;
  readonly linkUp = new Map<string, boolean>();
  /** Programs, and the runs that have not ended. */
  shelf = new ProgramShelf();
  #found: unknown = null;

  /** With `text` as that fold stood, else before the first event. */
  constructor(config: FleetConfig, text?: string) {
    this.#box = boxStream(config.box);
    for (const axis of config.axes) {
      this.#streams.set(axisStream(axis.id), axis.id);
      this.#axes.set(axis.id, initialAxis(axis));
    }
    if (text !== undefined) this.#restore(JSON.parse(text) as FoldText);
  }

  get axes(): Iterable<Axis> {
    return this.#axes.values();
  }

  /** The fleet's configuration as last recorded; null before the first one. */
  get found(): unknown {
    return this.#found;
  }

  take(events: readonly RecordedEvent[]): void {
    for (const recorded of events) {
      const event = typed(recorded);
      const id = this.#streams.get(event.stream);
      const axis = id === undefined ? undefined : this.#axes.get(id);
      if (axis) this.#axes.set(axis.id, evolveRecorded(axis, recorded));
      else if (event.type === "FleetConfigured" && event.stream === this.#box) this.#found = event.data.config;
      else if (event.type === "ProgramDefined" || event.stream.startsWith("run-")) this.shelf.take(event);
      else if (event.type === "LinkWentUp") this.linkUp.set(streamSubject(event.stream), true);
      else if (event.type === "LinkWentDown") this.linkUp.set(streamSubject(event.stream), false);
    }
  }

  text(): string {
    const axes = [...this.#axes.values()].map(({ config: _, open, ...axis }) => ({ ...axis, open: [...open] }));
    return JSON.stringify({
      axes,
      linkUp: [...this.linkUp],
      found: this.#found,
      shelf: this.shelf.text(),
    } satisfies FoldText);
  }

  #restore({ axes, linkUp, found, shelf }: FoldText): void {
    for (const stored of axes) {
      const before = this.#axes.get(stored.id);
      if (before) this.#axes.set(stored.id, { ...before, ...stored, open: new Map(stored.open as Iterable<never>) });
    }
    for (const [link, up] of linkUp) this.linkUp.set(link, up);
    this.#found = found;
    this.shelf = new ProgramShelf(shelf);
  }
}

/** What a fold depends on beside the events. Whoever changes a fold in the code changes it, too. */
export function foldFingerprint({ box, axes }: FleetConfig): string {
  const sources = ["../domain/", "../programs/", "../recovery/", "../../contracts/", "../../runtime/"].flatMap(
    (folder) => {
      const url = new URL(folder, import.meta.url);
      const names = readdirSync(url).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
      return names.sort().map((name) => readFileSync(new URL(name, url), "utf8"));
    },
  );
  return digest("sha256", JSON.stringify([box, axes, sources]), "hex");
}
