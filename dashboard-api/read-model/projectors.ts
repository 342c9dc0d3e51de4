import type { Clock } from "@servofleet/runtime/clock";
import { alarmHistory } from "../projections/alarm-history.ts";
import { axisBoard } from "../projections/axis-board.ts";
import { commandHistory } from "../projections/command-history.ts";
import { groupBoard } from "../projections/group-board.ts";
import { linkBoard } from "../projections/link-board.ts";
import { runHistory } from "../projections/run-history.ts";
import type { LogSource } from "./log-source.ts";
import type { Projection } from "./projection.ts";
import { Projector } from "./projector.ts";
import type { ViewStore } from "./view-store.ts";

/** Every view of the log, by the name that routes use. A new one is a line here; the rest follows. */
export const PROJECTIONS = {
  axes: axisBoard,
  commands: commandHistory,
  links: linkBoard,
  alarms: alarmHistory,
  groups: groupBoard,
  runs: runHistory,
} as const;
export type ProjectionName = keyof typeof PROJECTIONS;

type ProjectorOf<P> = P extends Projection<infer Row> ? Projector<Row> : never;
export type Projectors = { readonly [Name in ProjectionName]: ProjectorOf<(typeof PROJECTIONS)[Name]> };

/** Where a projection keeps its rows: a file of a generation, or memory. */
export type OpenStore = <Row>(projection: Projection<Row>) => Promise<ViewStore<Row>>;

/** The projectors whatever their rows, for what is done to each of them alike. */
export const listOf = (projectors: Projectors): readonly Projector<never>[] =>
  Object.values(projectors) as unknown as readonly Projector<never>[];

/** Opens every projection on its file. `opened` is told how each goes on: "continued" or "rebuilding". */
export async function openProjectors(
  log: LogSource,
  openStore: OpenStore,
  clock: Clock,
  opened: (projector: Projector<never>, how: string) => void = () => undefined,
): Promise<Projectors> {
  const made: Partial<Record<ProjectionName, Projector<never>>> = {};
  for (const [name, projection] of Object.entries(PROJECTIONS) as [ProjectionName, Projection<never>][]) {
    const projector = new Projector(projection, log.logId, clock, await openStore(projection));
    opened(projector, await projector.open(log));
    made[name] = projector;
  }
  return made as unknown as Projectors;
}
