import type { CommandId, DomainEvent, RecordedEvent } from "@servofleet/contracts";
import type { Axis } from "./axis-state.ts";

export interface EventMeta {
  /** Version of the event in the axis stream. */
  readonly version: number;
  readonly commandId: CommandId | null;
}

/** The axis after one event of its stream. Pure: same events, same state. */
export declare function evolve(axis: Axis, event: DomainEvent, meta: EventMeta): Axis;

/** The same from a row of the log. */
export declare function evolveRecorded(axis: Axis, recorded: RecordedEvent): Axis;
