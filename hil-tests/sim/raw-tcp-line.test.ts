import type { LinkConfig } from "@servofleet/contracts";
import { openLink as openBridgeLink, until } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { systemClock } from "@servofleet/runtime/system-clock";
import { expect, test } from "vitest";
import { openLink } from "./sim-link.ts";

test("RTU through a raw TCP server: a late answer is not the next one's, and a reset connection comes back", async () => {
  const drive = { id: "x1", unit: 3, model: "leadshine-icl-rs" } as const;
  const place = { kind: "modbus-rtu-over-tcp", host: "127.0.0.1", baud: 115_200 } as const;
  const sim = await openLink({ ...place, id: "line_r", port: 0, replyMs: 2, drives: [drive] }, systemClock());
  const address = sim.address();
  const port = "port" in address ? address.port : 0;
  const config: LinkConfig = { ...place, id: "line_r" as LinkConfig["id"], port, stopWaitMaxMs: 300 };
  const link = await openBridgeLink(config, [3]);
  const read = (register: number) =>
    link.transact(3, { fn: "read", address: register, quantity: 1 }, { class: "command" });
  try {
    expect((await read(0x0001)).registers).toEqual([10_000]);
    sim.ports[0]?.add({ kind: "late-reply", delayMs: 450 });
    await expect(read(0x0001)).rejects.toMatchObject({ code: "no-reply" });
    expect((await read(0x1003)).registers).not.toEqual([10_000]);
    sim.reset();
    await until(() => !link.up, "the reset is noticed");
    await until(() => link.up, "it is back");
    expect((await read(0x0001)).registers).toEqual([10_000]);
  } finally {
    await link.close();
    await sim.unplug();
  }
});
