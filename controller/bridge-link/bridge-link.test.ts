import { BEAT_PERIOD_MS, type OrderMessage } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { memoryBusPair } from "@servofleet/runtime/memory-bus";
import { expect, it } from "vitest";
import { BridgeLink, DESCRIBE_AGAIN_MS } from "./bridge-link.ts";

const BOOT = "boot-1";

function scene() {
  const clock = new FakeClock();
  const pair = memoryBusPair((fault) => {
    throw fault;
  });
  const asked: OrderMessage[] = [];
  pair.bridge.subscribe("orders", (message) => void (message.type === "describe" && asked.push(message)));
  const parts = { bus: pair.controller, clock, epoch: 1, reportsSeen: () => 0, stopGenerations: () => ({}) };
  const link = new BridgeLink(parts, { onSeen: () => undefined, onLost: () => undefined });
  link.start();
  let seq = 0;
  return {
    link,
    asked,
    /** Time goes by while the bridge is heard. */
    async live(ms: number) {
      for (let passed = 0; passed < ms; passed += BEAT_PERIOD_MS) {
        const beat = { bridgeBoot: BOOT, seq: ++seq, monotonicMs: clock.monotonicMs(), reportSeq: 0, links: [] };
        pair.bridge.publish("bridge-beats", beat as never);
        await clock.advance(BEAT_PERIOD_MS);
      }
    },
  };
}

it("asks the bridge what it knows until it has answered, because a bus may lose the question", async () => {
  const { link, asked, live } = scene();
  await live(3 * DESCRIBE_AGAIN_MS);
  expect(asked).toHaveLength(0);
  link.describe();
  await live(3 * DESCRIBE_AGAIN_MS + BEAT_PERIOD_MS);
  expect(asked).toHaveLength(4);
  link.described();
  await live(3 * DESCRIBE_AGAIN_MS);
  expect(asked).toHaveLength(4);
});
