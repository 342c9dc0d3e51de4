import type { AxisId, CommandId } from "./ids.ts";

/**
 * What the controller tells the bridge: decided, in drive counts, with a deadline. Everything here is machine frame:
 * counts, counts/s, counts/s2. Velocities of moves are magnitudes except for `move-velocity` (signed).
 */
export type OrderAction =
  | { readonly kind: "enable" }
  | { readonly kind: "disable" }
  | { readonly kind: "reset-fault" }
  /** `offsetCounts`: drive position to show at the home switch. */
  | {
      readonly kind: "home";
      readonly method: number;
      readonly velocity: number;
      readonly acceleration: number;
      readonly offsetCounts: number;
    }
  | {
      readonly kind: "move-absolute";
      readonly targetCounts: number;
      readonly velocity: number;
      readonly acceleration: number;
      readonly deceleration: number;
    }
  /** Watched by the bridge: halted at stopping distance before `minCounts` or `maxCounts`. */
  | {
      readonly kind: "move-velocity";
      readonly velocity: number;
      readonly acceleration: number;
      readonly deceleration: number;
      readonly minCounts: number;
      readonly maxCounts: number;
    }
  | { readonly kind: "halt"; readonly deceleration: number }
  | { readonly kind: "write-parameter"; readonly parameter: string; readonly value: number | readonly number[] };

/** One order to one axis, with everything the last check before its first byte needs. */
export interface Order {
  /** Unique per dispatch; one command has at most one order (nothing is ever sent twice). */
  readonly orderId: string;
  readonly commandId: CommandId;
  readonly axis: AxisId;
  /** Writer epoch of the controller; the bridge refuses an older one than it has seen. */
  readonly epoch: number;
  /** Stop generation of the axis at the decision; the bridge refuses it once a stop has raised its own. */
  readonly stopGeneration: number;
  /** Last moment for the first byte, on the BRIDGE's monotonic clock, ms (made from the bridge's own beats, so always on the early side). */
  readonly notAfterMs: number;
  /** Fencing token: control over the axis at the decision; the bridge refuses it once control has changed hands. */
  readonly leaseSequence: number;
  /** Hold-to-run: halted when no beat of the session comes for `windowMs`, a bound that the bridge keeps by itself. */
  readonly hold?: { readonly session: string; readonly windowMs: number };
  readonly action: OrderAction;
}

/** The stop lane. Needs no deadline: a stop is never too late. Raises the generation before its first byte. */
export interface StopOrder {
  readonly stopId: string;
  readonly axis: AxisId;
  readonly epoch: number;
  readonly stopGeneration: number;
  readonly reason: StopReason;
}

/** Why an axis was stopped. */
export type StopReason =
  | "person"
  | "restart-recovery"
  | "unexpected-motion"
  | "controller-lost"
  | "shutdown"
  | "limit"
  | "lapse"
  | "program";

/** Asks the bridge to settle an order whose write timed out, or a command found open at a restart: reads only. */
export interface SettleRequest {
  readonly commandId: CommandId;
  readonly axis: AxisId;
  readonly epoch: number;
  /** Where the command wanted to go, counts; null when it was not a move. */
  readonly targetCounts: number | null;
}

/** Everything on the orders channel. */
export type OrderMessage =
  | { readonly type: "order"; readonly order: Order }
  | { readonly type: "settle"; readonly settle: SettleRequest }
  /**
   * Ask for `bridge-ready` and every `axis-status` again (new controller, or after a gap). `stopGenerations`: of every axis
   * as the log has them, so that a bridge that started anew counts its own stops on from there.
   */
  | {
      readonly type: "describe";
      readonly epoch: number;
      readonly stopGenerations: Readonly<Record<AxisId, number>>;
    }
  /** Control over an axis has changed hands: orders decided before are refused from here on. */
  | { readonly type: "authority"; readonly epoch: number; readonly axis: AxisId; readonly leaseSequence: number }
  /** The button of a hold-to-run session is still held, or was let go. */
  | {
      readonly type: "jog-beat";
      readonly epoch: number;
      readonly axis: AxisId;
      readonly session: string;
      readonly released: boolean;
    }
  /** Stop every axis by its `onShutdown`, close links, exit 0. */
  | { readonly type: "shut-down"; readonly epoch: number };
