import { streamSubject, type TypedEvent } from "@servofleet/contracts";
import { type Change, NO_CHANGE, type Projection, type Rows } from "../read-model/projection.ts";

/** One link as the log tells it; its figures come live. */
export interface LinkRow {
  readonly id: string;
  readonly configured: boolean;
  readonly order: number;
  readonly kind: string;
  readonly state: "up" | "down";
  readonly reason: string | null;
  readonly sinceUs: number;
  readonly units: readonly { readonly unit: number; readonly axis: string }[];
}

const freshLink = (id: string, us: number): LinkRow => ({
  id,
  configured: false,
  order: 0,
  kind: "",
  state: "down",
  reason: "not opened yet",
  sinceUs: us,
  units: [],
});

function configured(rows: Rows<LinkRow>, event: TypedEvent & { type: "FleetConfigured" }): Change<LinkRow>[] {
  const { links, axes } = event.data.config;
  const named = new Set<string>(links.map((link) => link.id));
  const gone = [...rows.open()].filter((row) => row.configured && !named.has(row.id));
  return [
    ...links.map(({ id, kind }, order): Change<LinkRow> => {
      const units = axes.filter((axis) => axis.link === id).map((axis) => ({ unit: axis.unit, axis: axis.id }));
      return [id, { ...(rows.get(id) ?? freshLink(id, event.wallUs)), configured: true, order, kind, units }];
    }),
    ...gone.map((row): Change<LinkRow> => [row.id, { ...row, configured: false }]),
  ];
}

/** State of every link, behind `GET /v1/links`. */
export const linkBoard: Projection<LinkRow> = {
  name: "links",
  version: 1,
  residentMax: Number.POSITIVE_INFINITY,
  rank: (row) => row.order,
  settled: () => false,
  refersTo: () => null,
  project(rows, event) {
    if (event.type === "FleetConfigured") return configured(rows, event);
    if (event.type !== "LinkWentUp" && event.type !== "LinkWentDown") return NO_CHANGE;
    const id = streamSubject(event.stream);
    const row = rows.get(id) ?? freshLink(id, event.wallUs);
    const state = event.type === "LinkWentUp" ? "up" : "down";
    const reason = event.type === "LinkWentDown" ? event.data.reason : null;
    const sinceUs = row.state === state ? row.sinceUs : event.wallUs;
    return [[id, { ...row, state, reason, sinceUs }]];
  },
};
