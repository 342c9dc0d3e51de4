import type { CommandId, DomainEvent } from "@servofleet/contracts";

/** A decided fact of one axis stream, before the log gives it its place, time and hash. */
export interface AxisEvent {
  readonly event: DomainEvent;
  /** The command whose story this belongs to. */
  readonly commandId?: CommandId;
  /** Fixed event id: the command id for the event that decided a command. The log makes one where absent. */
  readonly id?: string;
  /** Id of the command or stop that brought this about. */
  readonly causationId?: string;
}

/** An event of a command's story. */
export const ofCommand = (commandId: CommandId, event: DomainEvent, causationId?: string): AxisEvent =>
  causationId === undefined ? { event, commandId } : { event, commandId, causationId };
