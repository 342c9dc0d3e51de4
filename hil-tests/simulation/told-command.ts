import {
  ACCEPTED_EVENTS,
  type AxisId,
  COMMAND_STATE_AFTER,
  type CommandType,
  type EventData,
  type EventType,
  type RecordedEvent,
  streamSubject,
  TERMINAL_STATES,
  typed,
} from "@servofleet/contracts";

/** A command as the log tells it, for whoever judges the log. */
export interface ToldCommand {
  readonly id: string;
  readonly axis: AxisId;
  readonly events: readonly RecordedEvent[];
  /** Absent for a refusal. */
  readonly accepted: (EventData<"MoveAccepted"> & { readonly commandType: CommandType }) | undefined;
  readonly epoch: number;
  readonly decidedMs: number;
  readonly dispatched: boolean;
  readonly ends: readonly RecordedEvent[];
}

const NS_PER_MS = 1e6;

/** When an event was recorded, on the clock of the simulation. */
export const recordedMs = (event: RecordedEvent): number => Number(event.monoNs) / NS_PER_MS;

export const endsIt = (type: EventType): boolean => {
  const state = COMMAND_STATE_AFTER[type];
  return state !== undefined && TERMINAL_STATES.has(state);
};

/** Every command of the log, in order of decision. Pure. */
export function toldCommands(log: readonly RecordedEvent[]): ToldCommand[] {
  const byId = new Map<string, RecordedEvent[]>();
  for (const event of log) {
    if (event.commandId === null) continue;
    const known = byId.get(event.commandId);
    if (known) known.push(event);
    else byId.set(event.commandId, [event]);
  }
  return [...byId].map(([id, events]) => told(id, events));
}

function told(id: string, events: readonly RecordedEvent[]): ToldCommand {
  const first = events[0] as RecordedEvent;
  const decision = typed(first);
  const accepted = ACCEPTED_EVENTS.has(first.type) ? (decision.data as ToldCommand["accepted"]) : undefined;
  return {
    id,
    axis: streamSubject(first.stream) as AxisId,
    events,
    accepted,
    epoch: first.epoch,
    decidedMs: recordedMs(first),
    dispatched: events.some(({ type }) => type === "DispatchStarted"),
    ends: events.filter(({ type }) => endsIt(type)),
  };
}
