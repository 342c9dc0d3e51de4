import type { ControllerBeat, OrderMessage, Report, ReportMessage } from "@servofleet/contracts";
import type { MessageBus } from "@servofleet/runtime/message-bus";

/** What may be done to the controller's words on their way to the bridge. */
export interface BusSpoiler {
  /** Called before each order message; the messages that go out in its place. */
  readonly orders?: (message: OrderMessage) => readonly OrderMessage[];
  /** Called with each beat; messages that go out before it. */
  readonly beat?: (beat: ControllerBeat) => readonly OrderMessage[];
  /** Sees each report of the bridge as it comes in. */
  readonly report?: (report: Report) => void;
}

/** The controller's end of a bus with somebody in between, who sees and may change what it says. */
export function spoiledBus(end: MessageBus, spoiler: BusSpoiler): MessageBus {
  return {
    get connected() {
      return end.connected;
    },
    subscribe: (channel, handler) =>
      end.subscribe(channel, (message) => {
        if (channel === "reports") spoiler.report?.((message as ReportMessage).report);
        handler(message);
      }),
    onConnection: (listener) => end.onConnection(listener),
    close: () => end.close(),
    publish(channel, message) {
      const before = channel === "controller-beats" ? (spoiler.beat?.(message as ControllerBeat) ?? []) : [];
      for (const one of before) end.publish("orders", one);
      if (channel !== "orders" || !spoiler.orders) return end.publish(channel, message);
      const sent = spoiler.orders(message as OrderMessage).map((one) => end.publish("orders", one));
      return sent.every(Boolean);
    },
  };
}
