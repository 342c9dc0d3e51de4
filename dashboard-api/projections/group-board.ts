import { NO_CHANGE, type Projection } from "../read-model/projection.ts";

/** A named set of axes, as configured. */
export interface GroupRow {
  readonly id: string;
  readonly order: number;
  readonly axes: readonly string[];
}

/** The groups of the newest configuration, behind `GET /v1/groups`. */
export const groupBoard: Projection<GroupRow> = {
  name: "groups",
  version: 1,
  residentMax: Number.POSITIVE_INFINITY,
  rank: (row) => row.order,
  settled: () => false,
  refersTo: () => null,
  project(rows, event) {
    if (event.type !== "FleetConfigured") return NO_CHANGE;
    const { groups } = event.data.config;
    const named = new Set<string>(groups.map((group) => group.id));
    return [
      ...groups.map(({ id, axes }, order) => [id, { id, order, axes: [...axes] }] as const),
      ...[...rows.open()].filter((row) => !named.has(row.id)).map((row) => [row.id, null] as const),
    ];
  },
};
