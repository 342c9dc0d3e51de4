import type { ControllerBeat, StopOrder } from "@servofleet/contracts";
import { describe, expect, it, onTestFinished } from "vitest";
import type { MessageBus } from "./message-bus.ts";

/** Two ends of one transport, and the hand that pulls its plug. */
export interface BusRig {
  readonly controller: MessageBus;
  readonly bridge: MessageBus;
  /** Faults that either end has told, by channel. */
  readonly faults: readonly string[];
  disconnect(): Promise<void>;
  connect(): Promise<void>;
  end(): Promise<void>;
}

const beat = (seq: number): ControllerBeat => ({ epoch: 1, seq, reportsSeen: 0, bridgeBoot: null });
const stop = (n: number): StopOrder => ({
  stopId: `stop-${n}`,
  axis: "x1" as StopOrder["axis"],
  epoch: 1,
  stopGeneration: n,
  reason: "person",
});

/** Waits until the condition holds; the test's own limit ends a wait in vain. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** The laws of `MessageBus`, for every transport. */
export function messageBusContract(name: string, open: () => Promise<BusRig>): void {
  const rigged = async (): Promise<BusRig> => {
    const rig = await open();
    onTestFinished(() => rig.end());
    await until(() => rig.controller.connected && rig.bridge.connected);
    return rig;
  };

  describe(`message bus: ${name}`, () => {
    it("delivers the messages of a channel in the order they were published, each once", async () => {
      const { controller, bridge } = await rigged();
      const seen: number[] = [];
      bridge.subscribe("controller-beats", ({ seq }) => seen.push(seq));
      for (let seq = 0; seq < 500; seq++) expect(controller.publish("controller-beats", beat(seq))).toBe(true);
      await until(() => seen.length >= 500);
      expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i));
    });

    it("carries each channel to its own subscribers only, in both directions", async () => {
      const { controller, bridge } = await rigged();
      const got: string[] = [];
      bridge.subscribe("stops", ({ stopId }) => got.push(stopId));
      bridge.subscribe("controller-beats", () => got.push("beat"));
      controller.subscribe("bridge-beats", ({ bridgeBoot }) => got.push(bridgeBoot));
      controller.publish("stops", stop(1));
      bridge.publish("bridge-beats", { bridgeBoot: "b", seq: 1, monotonicMs: 5, reportSeq: 0 });
      await until(() => got.length === 2);
      expect(got.sort()).toEqual(["b", "stop-1"]);
    });

    it("ends a subscription without ending another", async () => {
      const { controller, bridge } = await rigged();
      const first: number[] = [];
      const second: number[] = [];
      const off = bridge.subscribe("stops", ({ stopGeneration }) => first.push(stopGeneration));
      bridge.subscribe("stops", ({ stopGeneration }) => second.push(stopGeneration));
      controller.publish("stops", stop(1));
      await until(() => second.length === 1);
      off();
      controller.publish("stops", stop(2));
      await until(() => second.length === 2);
      expect(first).toEqual([1]);
    });

    it("keeps serving the others when a handler throws, and tells the fault", async () => {
      const { controller, bridge, faults } = await rigged();
      const seen: number[] = [];
      bridge.subscribe("stops", () => {
        throw new Error("a handler broke");
      });
      bridge.subscribe("stops", ({ stopGeneration }) => seen.push(stopGeneration));
      controller.publish("stops", stop(1));
      controller.publish("stops", stop(2));
      await until(() => seen.length === 2);
      expect(faults.filter((channel) => channel === "stops")).toHaveLength(2);
    });

    it("says no while disconnected and never delivers later what was published then", async () => {
      const rig = await rigged();
      const { controller, bridge } = rig;
      const seen: number[] = [];
      const states: boolean[] = [];
      bridge.subscribe("stops", ({ stopGeneration }) => seen.push(stopGeneration));
      controller.onConnection((connected) => states.push(connected));
      await rig.disconnect();
      // Both: an end that still believes in the old connection would not hear what is said on the new one.
      await until(() => !controller.connected && !bridge.connected);
      expect(controller.publish("stops", stop(1))).toBe(false);
      await rig.connect();
      await until(() => controller.connected && bridge.connected);
      controller.publish("stops", stop(2));
      await until(() => seen.length > 0);
      expect(seen).toEqual([2]);
      expect(states).toEqual([false, true]);
    });

    it("sends what is buffered before it closes, closes twice, and says no afterwards", async () => {
      const { controller, bridge } = await rigged();
      const seen: number[] = [];
      bridge.subscribe("stops", ({ stopGeneration }) => seen.push(stopGeneration));
      for (let n = 0; n < 100; n++) controller.publish("stops", stop(n));
      await controller.close();
      await controller.close();
      expect(controller.connected).toBe(false);
      expect(controller.publish("stops", stop(100))).toBe(false);
      await until(() => seen.length === 100);
      expect(seen.at(-1)).toBe(99);
    });
  });
}
