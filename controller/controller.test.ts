import { expect, it, onTestFinished } from "vitest";
import { ControllerRig, type RigOptions } from "./testing/controller-rig.ts";

async function rig(options: RigOptions = {}): Promise<ControllerRig> {
  const started = await ControllerRig.start(options);
  onTestFinished(() => started.kill());
  return started;
}
const ready = async (options: RigOptions = {}) => (await rig(options)).ready();

it("answers a move with 202 and its Location once it is on disk, and brings it to its end", async () => {
  const box = await ready();
  const answer = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "MoveAbsolute", position: 120.5 } });
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({
    commandId: expect.any(String),
    axis: "x1",
    state: "accepted",
    logPosition: expect.stringMatching(/^[^.]+\.\d+$/),
  });
  const { commandId, logPosition } = answer.body;
  expect(answer.headers["location"]).toBe(`/v1/commands/${commandId}?minPosition=${logPosition}&waitMs=500`);
  const story = () => box.log.readCommand(String(commandId));
  await box.until(async () => (await story()).at(-1)?.type === "CommandSucceeded");
  expect((await story()).map(({ type }) => type)).toEqual([
    "MoveAccepted",
    "DispatchStarted",
    "CommandSent",
    "DispatchAcknowledged",
    "CommandSucceeded",
  ]);
  expect(box.bridge?.orders).toMatchObject([
    { commandId, axis: "x1", action: { kind: "move-absolute", targetCounts: 12050 } },
  ]);
});
