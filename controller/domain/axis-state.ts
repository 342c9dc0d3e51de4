import {
  type AxisAbilities,
  type AxisConfig,
  type AxisId,
  type AxisScale,
  type AxisState,
  type CommandId,
  type CommandRequest,
  type CommandType,
  type Fault,
  type LinkId,
  MOTION_COMMANDS,
} from "@servofleet/contracts";

export type OpenPhase = "accepted" | "dispatched" | "acknowledged" | "moving";

/** A command that has not ended. */
export interface OpenCommand {
  readonly commandId: CommandId;
  readonly type: CommandType;
  readonly request: CommandRequest;
  readonly principal: string;
  readonly ttlMs: number;
  readonly phase: OpenPhase;
  /** Axis version of its acceptance: the order in which wishes were decided. */
  readonly acceptedVersion: number;
  /** Stop generation it was decided under. */
  readonly stopGeneration: number;
  /** Display units; null when it goes nowhere. */
  readonly target: number | null;
  /** Drive counts, machine frame. */
  readonly targetCounts: number | null;
  /** Effective values as decided: units/s (signed for MoveVelocity) and units/s2. */
  readonly velocity: number | null;
  readonly acceleration: number | null;
  readonly deceleration: number | null;
  readonly orderId: string | null;
  /** The first byte has left (`CommandSent`). */
  readonly sent: boolean;
  /** A write timed out and is being settled by reading. */
  readonly outcomeUnknown: boolean;
}

/** A stop of this axis, newest last; kept to know a repeated stop result. */
export interface StopRecord {
  readonly stopId: string;
  readonly stopGeneration: number;
  readonly result: string | null;
}
export const STOP_RECORDS_MAX = 16;

/** All that is known of one axis: its configuration and the fold of its stream. Immutable. */
export interface Axis {
  readonly id: AxisId;
  readonly link: LinkId;
  readonly config: AxisConfig;
  /** Number of events of the stream folded so far; the ETag of the axis. */
  readonly version: number;
  /** As last shown (`AxisStateChanged`). */
  readonly state: AxisState;
  readonly stopLatched: boolean;
  readonly stopGeneration: number;
  readonly stops: readonly StopRecord[];
  readonly homed: boolean;
  readonly enabled: boolean;
  readonly fault: Fault | null;
  /** In words for a person; null while online. */
  readonly offlineReason: string | null;
  /** Motion has been seen or must be reckoned with, and standstill has not been seen since. */
  readonly moving: boolean;
  /** The motion is nobody's wish. */
  readonly unexpectedMotion: boolean;
  readonly reconcileRequired: boolean;
  readonly reconcileReason: string | null;
  /** Motion commands that ended indeterminate and that no person has settled yet. */
  readonly unsettled: readonly CommandId[];
  /** Added to the machine position for display, units. */
  readonly displayOffset: number;
  /** Where the newest event saw it, counts; a reading (`AxisStatus`) is fresher. */
  readonly positionCounts: number | null;
  /** The set position that the drive holds since its last motion succeeded, counts; null after anything else. */
  readonly heldCounts: number | null;
  readonly abilities: AxisAbilities | null;
  /** The command that governs the axis now, as last shown. */
  readonly currentCommand: CommandId | null;
  /** Every command that has not ended, in order of acceptance. */
  readonly open: ReadonlyMap<CommandId, OpenCommand>;
}

/** Before the first event: off line, nothing known. */
export function initialAxis(config: AxisConfig): Axis {
  return {
    id: config.id,
    link: config.link,
    config,
    version: 0,
    state: "offline",
    stopLatched: false,
    stopGeneration: 0,
    stops: [],
    homed: false,
    enabled: false,
    fault: null,
    offlineReason: "not read yet",
    moving: false,
    unexpectedMotion: false,
    reconcileRequired: false,
    reconcileReason: null,
    unsettled: [],
    displayOffset: 0,
    positionCounts: null,
    heldCounts: null,
    abilities: null,
    currentCommand: null,
    open: new Map(),
  };
}

/** Counts to display units and back, with the offset in force. */
export const scaleOf = (axis: Axis): AxisScale => ({
  countsPerUnit: axis.config.countsPerUnit,
  displayOffset: axis.displayOffset,
});

/** Commands that drive the axis: motions, and Halt (a discrete motion in PLCopen). At most one of them governs it. */
export const isDriving = (type: CommandType): boolean => type === "Halt" || MOTION_COMMANDS.has(type);

/** Whether bytes of it may be on the wire. */
export const isDispatched = (command: OpenCommand): boolean => command.phase !== "accepted";
