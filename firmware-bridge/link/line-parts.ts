import type { AxisId } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import type { Framer } from "../modbus/framer.ts";
import type { MbapLanes } from "../modbus/mbap-lanes.ts";
import type { PollPlan } from "./bus-cost.ts";
import type { Together } from "./join-jobs.ts";
import type { LineCodec } from "./line-codec.ts";
import type { ModbusRequest } from "./link.ts";
import type { Wire } from "./wire.ts";

/** What a link writes about itself; a pino logger fits. */
export interface LinkLog {
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
}

/** What every link is given. */
export interface LinkParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly units: readonly { readonly unit: number; readonly axis: AxisId | null }[];
  readonly log: LinkLog;
  /** The poll plan, for `plannedLoad` and `stopBoundMs` of the figures. */
  readonly polls?: readonly PollPlan[];
  /** Units that can be asked together, on a servo bus; absent: none. */
  readonly together?: Together;
  /** The longest requests that a stop can come behind, and the longest stop; absent: the polls, and one register. */
  readonly inFlight?: readonly ModbusRequest[];
  readonly stop?: ModbusRequest;
}

/** What makes a line RTU, TCP or a servo bus. */
export interface LineParts extends LinkParts {
  readonly wire: Wire;
  readonly framer: Framer;
  /** Absent: Modbus. */
  readonly codec?: LineCodec;
  /** TCP answers carry ids: a late one is never in doubt, and no unit has to be kept in quarantine. */
  readonly repliesHaveIds: boolean;
  /** Several requests at once on one connection, told apart by id; absent: one. */
  readonly lanes?: MbapLanes;
  /** The unit that means all of them and answers nothing. Absent: there is none. */
  readonly broadcastUnit?: number;
  /** A socket may be dead without a word: silence of all units ends it. Absent: as `repliesHaveIds`. */
  readonly diesUnseen?: boolean;
}
