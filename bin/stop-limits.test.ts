import { SHUTDOWN_LIMIT_MS } from "@servofleet/controller/controller";
import { FINISH_WAIT_MS, STANDSTILL_WAIT_MS } from "@servofleet/firmware-bridge/bridge/shut-down";
import { parseFleet } from "@servofleet/runtime/fleet-file";
import { expect, test } from "vitest";
import { CONTROLLER_WAITS_MS, stopLimits } from "./stop-limits.ts";

const fleet = (onShutdown: string) =>
  parseFleet(
    `box: box_1
data: /nowhere
links: [{ id: line_a, kind: modbus-rtu, port: /dev/nowhere, baud: 38400 }]
axes:
  - { id: x1, link: line_a, unit: 1, profile: leadshine-icl-rs, unitName: mm, countsPerUnit: 100, onShutdown: ${onShutdown},
      limits: { min: 0, max: 10, velocity: 5, acceleration: 50, torque: 80 }, homing: { required: false, method: 35, velocity: 1, offset: 0 } }
`,
    "fleet.yaml",
  );

test.each([
  ["stop", STANDSTILL_WAIT_MS],
  ["leave", STANDSTILL_WAIT_MS],
  ["finish", FINISH_WAIT_MS + STANDSTILL_WAIT_MS],
])("with onShutdown %s nobody is killed before what it waits for is over", (onShutdown, waitMs) => {
  const { bridgeMs, controllerMs } = stopLimits(fleet(onShutdown));
  expect(CONTROLLER_WAITS_MS).toBe(SHUTDOWN_LIMIT_MS);
  expect(bridgeMs).toBeGreaterThan(waitMs);
  expect(controllerMs).toBeGreaterThan(SHUTDOWN_LIMIT_MS + bridgeMs);
});
