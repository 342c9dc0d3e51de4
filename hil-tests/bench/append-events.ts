import { randomUUID } from "node:crypto";
import type { DomainEvent } from "@servofleet/contracts";
import type { NewEvent } from "@servofleet/controller/event-log/event-log";

const AXES = 32;
const AT = "2026-01-01T00:00:00.000000Z";
const TX = { direction: "tx", at: AT, hex: "0110620000080f000000271001f40064006400000000100a1b" } as const;
const RX = { direction: "rx", at: AT, hex: "011062000008d3c4" } as const;

/** The events of one move from wish to end, as a controller writes them. */
export function storyOfMove(target: number): DomainEvent[] {
  const orderId = randomUUID();
  const targetCounts = target * 100;
  return [
    {
      type: "MoveAccepted",
      data: {
        commandType: "MoveAbsolute",
        request: { type: "MoveAbsolute", position: target },
        principal: "local",
        fingerprint: "f".repeat(64),
        ttlMs: 5000,
        stopGeneration: 0,
        target,
        targetCounts,
        velocity: 80,
        acceleration: 500,
        deceleration: 500,
        sawState: "standstill",
        sawVersion: 1,
      },
    },
    { type: "DispatchStarted", data: { orderId, stopGeneration: 0, targetCounts } },
    { type: "CommandSent", data: { orderId, at: AT, frames: [TX] } },
    { type: "DispatchAcknowledged", data: { orderId, targetCounts, settledByReading: false, frames: [TX, RX] } },
    { type: "MotionStarted", data: { position: 0, frames: [] } },
    { type: "CommandSucceeded", data: { finalPosition: target, finalError: 0, summary: null, frames: [RX] } },
  ];
}

/** About `count` events of moves over 32 axes; the first of each move carries the command's id, as in real life. */
export function moveEvents(count: number): NewEvent[] {
  const events: NewEvent[] = [];
  for (let move = 0; events.length < count; move++) {
    const commandId = randomUUID();
    const stream = `axis-a${move % AXES}` as NewEvent["stream"];
    for (const [at, event] of storyOfMove(move % 800).entries())
      events.push({ stream, event, commandId, actor: "local", ...(at === 0 && { id: commandId }) });
  }
  return events.slice(0, count);
}
