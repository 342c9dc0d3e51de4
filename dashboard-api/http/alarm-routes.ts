import type { AlarmView } from "@servofleet/contracts";
import { alarmHistory } from "../projections/alarm-history.ts";
import type { ReadModel } from "../read-model/read-model.ts";
import { alarmState, alarmView } from "../views/alarm-view.ts";
import { pastPosition } from "./past-position.ts";
import { type Answer, type Asked, json, type ReadRoute, type ReadServices } from "./read-route.ts";
import { pageByRank } from "./row-list.ts";

export const routesOfAlarms = (services: ReadServices): ReadRoute[] => [
  {
    path: "/v1/alarms",
    summary: "Alarms, newest first: active, acknowledged, shelved and cleared",
    query: "alarms",
    answers: "AlarmList",
    uses: ["alarms"],
    problems: [],
    answer: (asked) => listAlarms(services, asked),
  },
];

async function listAlarms(services: ReadServices, { query }: Asked): Promise<Answer> {
  const { model, past, clock } = services;
  const moment = await pastPosition(services, query);
  const view = moment === null ? null : await past.view(alarmHistory, moment);
  const wallUs = view?.wallUs ?? clock.wallUs();
  const { state } = query;
  const { rows, nextCursor } = await pageByRank(view?.projector ?? model.projectors.alarms, query, {
    matches: (row) => state === undefined || alarmState(row, wallUs) === state,
    // What is on disk only is cleared: any other state matches none of it.
    where: state === undefined || state === "cleared" ? {} : { state },
  });
  const own = moment === null && query.cursor === undefined ? haltedAlarms(model) : [];
  const items = [...own.filter((alarm) => state === undefined || alarm.state === state)];
  for (const row of rows) items.push(alarmView(row, wallUs));
  return { ...json({ items, nextCursor }), ...(view && { position: view.position }) };
}

/** Alarms of the read side itself: not in the log, which it may only read. */
export const haltedAlarms = (model: ReadModel): AlarmView[] =>
  model.all
    .filter((projector) => projector.halted !== null)
    .map(({ projection: { name }, halted, position }) => ({
      id: `read-model-halted.${name}`,
      kind: "read-model-halted",
      source: name,
      state: "active",
      message: `The view "${name}" stopped at position ${position}: ${halted?.message ?? ""}`,
      remedy: halted?.hint ?? "restart the dashboard service",
      since: model.haltedSince(name) ?? "",
      clearedAt: null,
      acknowledgedBy: null,
    }));
