import type { BridgeBeat, ControllerBeat } from "./beat.ts";
import type { CapturePart, CaptureRequest } from "./capture.ts";
import type { OrderMessage, StopOrder } from "./order.ts";
import type { ReportMessage } from "./report.ts";
import type { SampleMessage } from "./sample.ts";

/** The channels between controller and bridge and what travels on each; the same over the child-process channel and NATS. */
export interface BusChannels {
  readonly orders: OrderMessage;
  readonly stops: StopOrder;
  readonly reports: ReportMessage;
  readonly "controller-beats": ControllerBeat;
  readonly "bridge-beats": BridgeBeat;
  readonly samples: SampleMessage;
  readonly "capture-requests": CaptureRequest;
  readonly captures: CapturePart;
}
export type BusChannel = keyof BusChannels;
export const BUS_CHANNELS = [
  "orders",
  "stops",
  "reports",
  "controller-beats",
  "bridge-beats",
  "samples",
  "capture-requests",
  "captures",
] as const satisfies readonly BusChannel[];

/** NATS subject of a channel. Ids carry no dot or star, so they are subject tokens as they are. */
export const busSubject = (box: string, channel: BusChannel): string => `servofleet.${box}.${channel}`;
