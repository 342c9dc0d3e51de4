import type { CommandView } from "@servofleet/contracts";
import { expect, onTestFinished, test } from "vitest";
import { VirtualBox } from "./virtual-box.ts";
import { virtualFleet } from "./virtual-fleet.ts";

const COMMANDS = "/v1/axes/a1/commands";

async function enabledBox(): Promise<VirtualBox> {
  const box = await VirtualBox.start({ seed: 1, ...virtualFleet({ models: ["leadshine-icl-rs"] }) });
  onTestFinished(() => box.close());
  await run(box, { type: "Enable" });
  return box;
}

const run = (box: VirtualBox, body: object, headers: Record<string, string> = {}) =>
  box.ask("POST", COMMANDS, { body, headers: { prefer: "wait=20", ...headers } });

const starts = (box: VirtualBox) =>
  box
    .drive("a1")
    .record.list()
    .filter(({ kind }) => kind.startsWith("start")).length;

test.each([0, 1, 2, 3, 4])(
  "twenty requests under one key and a death %s ms later are one command, before and after the restart",
  async (laterMs) => {
    const box = await enabledBox();
    const ask = () =>
      box.send("POST", COMMANDS, {
        body: { type: "MoveRelative", distance: 5 },
        headers: { "idempotency-key": "k" },
      });
    const storm = Promise.allSettled(Array.from({ length: 20 }, ask));
    await box.until("they are on their way", async () =>
      (await box.events()).some(({ type }) => type === "MoveAccepted"),
    );
    await box.run(laterMs);
    await box.restart("box");
    await box.through(storm);
    await box.ready();
    const again = await box.through(ask());
    expect(again).toMatchObject({ status: 202, headers: { "idempotency-replayed": "true" } });
    const ids = (await box.events()).filter(({ type }) => type === "MoveAccepted").map(({ id }) => id);
    expect(ids).toEqual([again.body.commandId]);
    const answered = (await storm).flatMap((one) =>
      one.status === "fulfilled" && one.value.status === 202 ? one.value : [],
    );
    expect(new Set(answered.map(({ body }) => body.commandId)).size).toBeLessThanOrEqual(1);
    await box.run(3000);
    expect(starts(box)).toBeLessThanOrEqual(1);
  },
);

test("a refusal that was decided is the same refusal after a restart, and its key stands for no other request", async () => {
  const box = await enabledBox();
  const key = { "idempotency-key": "beyond" };
  const body = { type: "MoveAbsolute", position: 99_999 };
  const first = await box.ask("POST", COMMANDS, { body, headers: key });
  expect(first.status).toBe(422);
  await box.restart("controller");
  await box.ready();
  const again = await box.ask("POST", COMMANDS, { body, headers: key });
  expect(again.headers["idempotency-replayed"]).toBe("true");
  expect([again.status, again.body.commandId]).toEqual([422, first.body.commandId]);
  const other = await box.ask("POST", COMMANDS, { body: { ...body, position: 1 }, headers: key });
  expect([other.status, other.body.type]).toEqual([422, "/problems/idempotency-key-reused"]);
});

test("SetPosition shifts the display over a restart, and moves no limit of the machine", async () => {
  const box = await enabledBox();
  expect((await run(box, { type: "SetPosition", position: 1000 })).body["state"]).toBe("succeeded");
  await box.restart("box");
  await box.ready();
  const beyond = await run(box, { type: "MoveAbsolute", position: 5001 });
  expect([beyond.status, beyond.body.detail]).toEqual([422, "position 5001 mm is beyond max 5000 mm"]);
  expect((await run(box, { type: "MoveAbsolute", position: 1010 })).body["state"]).toBe("succeeded");
  expect(box.drive("a1").motor.position).toBeCloseTo(1000, -1);
});

test("what could not be sent in its time is expired, with nothing sent, and says why", async () => {
  const box = await enabledBox();
  // Late answers hold the line: the time of those behind the first runs out before their first byte.
  const port = box.plant.port(1);
  port.add({ kind: "late-reply", delayMs: 25, times: 40 });
  const moves = [50, 51, 52].map((ttlMs) =>
    run(box, { type: "WriteParameter", parameter: "followingErrorLimit", value: 4000 + ttlMs, ttlMs }),
  );
  const stories = (await Promise.all(moves)).map(({ body }) => body as unknown as CommandView);
  const expired = stories.filter(({ state }) => state === "expired");
  expect(expired.length).toBeGreaterThan(0);
  for (const { reason, frames } of expired) {
    expect(reason).not.toBeNull();
    expect(frames).toEqual([]);
  }
});
