import { stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { AxisId, LiveMessage } from "@servofleet/contracts";
import { expect, it, onTestFinished } from "vitest";
import { ControllerRig } from "../testing/controller-rig.ts";

async function ready(): Promise<ControllerRig> {
  const started = await ControllerRig.start();
  onTestFinished(() => started.kill());
  return started.ready();
}
const reader = (box: ControllerRig): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(join(box.directory, "l.sock"), () => resolve(socket));
    onTestFinished(() => void socket.destroy());
  });

const sample = (axis: string, positionCounts: number) => ({
  axis: axis as AxisId,
  atUs: 7,
  positionCounts,
  velocityCountsPerS: 200,
  followingErrorCounts: -5,
  torque: 3,
  temperature: null,
  moving: true,
  quality: "good" as const,
});

it("passes samples on in display units, line by line, and into the store", async () => {
  const box = await ready();
  await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "SetPosition", position: 7 } });
  const socket = await reader(box);
  let text = "";
  socket.on("data", (part) => {
    text += part;
  });
  // Until the server has let the reader in, what is published is not for it.
  const again = setInterval(
    () =>
      box.pair.bridge.publish("samples", {
        type: "samples",
        samples: [sample("x1", 100), sample("z1", 100), sample("gone", 1)],
      }),
    5,
  );
  onTestFinished(() => clearInterval(again));
  await box.until(() => text.split("\n").length > 3);
  const lines = text
    .split("\n")
    .slice(0, 2)
    .map((line) => JSON.parse(line) as LiveMessage);
  expect(lines).toEqual([
    {
      type: "sample",
      axis: "x1",
      atUs: 7,
      position: 8,
      velocity: 2,
      followingError: -0.05,
      torque: 3,
      temperature: null,
      moving: true,
      quality: "good",
    },
    {
      type: "sample",
      axis: "z1",
      atUs: 7,
      position: -2,
      velocity: -4,
      followingError: 0.1,
      torque: 3,
      temperature: null,
      moving: true,
      quality: "good",
    },
  ]);
  expect(box.samples[0]).toMatchObject({ axis: "x1", position: 8 });
});

it("is for owner and group only, as is the socket of the API", async () => {
  const box = await ready();
  for (const name of ["l.sock", "c.sock"]) expect((await stat(join(box.directory, name))).mode & 0o777).toBe(0o660);
});

it("leaves out what a reader that does not read would have to be kept for", async () => {
  const box = await ready();
  const lazy = await reader(box);
  lazy.pause();
  const many = { type: "samples", samples: Array.from({ length: 1000 }, (_, i) => sample("x1", i)) } as const;
  for (let turn = 0; turn < 60; turn++) {
    box.pair.bridge.publish("samples", many);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await box.until(() => box.samples.length === 60_000);
  let bytes = 0;
  lazy.on("data", (part) => {
    bytes += part.length;
  });
  lazy.resume();
  // Nothing waits for the reader: the next command is answered, and what it gets is far less than what there was.
  expect((await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "Enable" } })).status).toBe(202);
  await box.until(() => bytes > 0 && lazy.readableLength === 0);
  expect(bytes).toBeLessThan(60_000 * 150 * 0.5);
});
