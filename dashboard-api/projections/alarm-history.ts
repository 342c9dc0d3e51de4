import { type AlarmView, streamSubject, type TypedEvent } from "@servofleet/contracts";
import { type Change, NO_CHANGE, type Projection, type Rows } from "../read-model/projection.ts";

/** Cleared alarms kept in memory; older ones are read from the projection's file. */
const ALARMS_IN_MEMORY_MAX = 2000;

/** One alarm as the log tells it (ISA-18.2: a person may acknowledge or shelve it, only the cause clears it). */
export interface AlarmRow {
  /** Id of the event that raised it. */
  readonly id: string;
  readonly kind: AlarmView["kind"];
  /** Axis or link. */
  readonly source: string;
  readonly message: string;
  readonly remedy: string;
  readonly sinceUs: number;
  readonly sincePosition: number;
  readonly clearedUs: number | null;
  readonly acknowledgedBy: string | null;
  /** RFC 3339; null when not shelved. */
  readonly shelvedUntil: string | null;
}

type Cause = Pick<AlarmRow, "kind" | "message" | "remedy">;

function causeOf(event: TypedEvent): Cause | null {
  switch (event.type) {
    case "LinkWentDown":
      return {
        kind: "link-down",
        message: `Link is down: ${event.data.reason}`,
        remedy: "check the cable, the adapter and the port; the link opens again by itself",
      };
    case "FaultRaised": {
      const { code, name, remedy } = event.data.fault;
      return { kind: "drive-fault", message: `${name} (${code})`, remedy };
    }
    case "LimitReached":
      return {
        kind: "limit-reached",
        message: `Limit reached: ${event.data.limit}`,
        remedy: "move the axis back into its range",
      };
    case "AxisWentOffline":
      return {
        kind: "axis-offline",
        message: `Drive does not answer: ${event.data.reason}`,
        remedy: "check power, wiring and the unit number; the axis comes back by itself",
      };
    case "UnexpectedMotionSeen":
      return {
        kind: "unexpected-motion",
        message: "Axis moves without a command of ours: it is being stopped",
        remedy: "find out who or what moves it; the alarm ends when a Reset at standstill releases the stop",
      };
    case "LeaseLapsed":
      return {
        kind: "lease-lapsed",
        message: `${event.data.principal} was not heard any more while it controlled ${event.data.axes.join(", ")}: ${event.data.onLapse}`,
        remedy: "look at the axes; the alarm ends when somebody takes control over one of them again",
      };
    default:
      return null;
  }
}

/** A lapse is about its axes, as `x1,x2`; everything else about the subject of its stream. */
const sourceOf = (event: TypedEvent): string =>
  event.type === "LeaseLapsed" ? event.data.axes.join(",") : streamSubject(event.stream);

/** Which open alarms of the same source the event ends. A limit is left by the next motion or by a reset. */
const ENDS: Partial<Record<TypedEvent["type"], readonly AlarmRow["kind"][]>> = {
  LinkWentUp: ["link-down"],
  FaultCleared: ["drive-fault"],
  AxisCameOnline: ["axis-offline"],
  MotionStarted: ["limit-reached"],
  LatchReleased: ["limit-reached", "unexpected-motion"],
};

function openAlarm(rows: Rows<AlarmRow>, kind: AlarmRow["kind"], source: string): AlarmRow | undefined {
  for (const row of rows.open()) if (row.clearedUs === null && row.kind === kind && row.source === source) return row;
  return undefined;
}

const cleared = (row: AlarmRow, us: number): Change<AlarmRow> => [row.id, { ...row, clearedUs: us }];

function raised(rows: Rows<AlarmRow>, event: TypedEvent, cause: Cause): readonly Change<AlarmRow>[] {
  const source = sourceOf(event);
  const before = openAlarm(rows, cause.kind, source);
  // The same cause told twice is one alarm; another cause of the same kind takes its place.
  if (before?.message === cause.message) return NO_CHANGE;
  const row: AlarmRow = {
    id: event.id,
    ...cause,
    source,
    sinceUs: event.wallUs,
    sincePosition: event.position,
    clearedUs: null,
    acknowledgedBy: null,
    shelvedUntil: null,
  };
  return before ? [cleared(before, event.wallUs), [row.id, row]] : [[row.id, row]];
}

/** Somebody controls these axes again. */
function underControl(rows: Rows<AlarmRow>, axes: readonly string[], us: number): readonly Change<AlarmRow>[] {
  const open = [...rows.open()].filter(({ kind, clearedUs }) => kind === "lease-lapsed" && clearedUs === null);
  return open
    .filter(({ source }) => source.split(",").some((axis) => axes.includes(axis)))
    .map((row) => cleared(row, us));
}

function answered(rows: Rows<AlarmRow>, event: TypedEvent): readonly Change<AlarmRow>[] {
  if (event.type !== "AlarmAcknowledged" && event.type !== "AlarmShelved") return NO_CHANGE;
  const row = rows.get(event.data.alarm);
  if (!row) return NO_CHANGE;
  const { principal } = event.data;
  return event.type === "AlarmAcknowledged"
    ? [[row.id, { ...row, acknowledgedBy: principal }]]
    : [[row.id, { ...row, shelvedUntil: event.data.until }]];
}

/** Active alarms and their history, behind `GET /v1/alarms`. */
export const alarmHistory: Projection<AlarmRow> = {
  name: "alarms",
  version: 2,
  residentMax: ALARMS_IN_MEMORY_MAX,
  rank: (row) => row.sincePosition,
  settled: (row) => row.clearedUs !== null,
  refersTo: (event) => (event.type === "AlarmAcknowledged" || event.type === "AlarmShelved" ? event.data.alarm : null),
  project(rows, event) {
    const cause = causeOf(event);
    if (cause) return raised(rows, event, cause);
    if (event.type === "LeaseGranted") return underControl(rows, event.data.axes, event.wallUs);
    const kinds = ENDS[event.type];
    if (kinds === undefined) return answered(rows, event);
    const ended = kinds.flatMap((kind) => openAlarm(rows, kind, streamSubject(event.stream)) ?? []);
    return ended.length > 0 ? ended.map((row) => cleared(row, event.wallUs)) : NO_CHANGE;
  },
};
