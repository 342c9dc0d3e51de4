import { afterEach, describe, expect, it } from "vitest";
import { type Rig, startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

describe("GET /v1/events?command=", () => {
  it("answers a command's events in order, without reading what happened in between, page by page", async () => {
    const log = new LogBuilder();
    log.configured(testFleet());
    for (let n = 0; n < 20; n++) log.move(`c${n}`, n);
    const source = new MemoryLogSource(log.events);
    rig = await startRig(source);
    source.readAfter = () => Promise.reject(new Error("the whole log is read"));
    const own = log.events.filter((event) => event.commandId === "c7").map((event) => event.id);
    const whole = await rig.get("/v1/events?command=c7");
    expect(whole.body.items.map((event: { id: string }) => event.id)).toEqual(own);
    expect(whole.body.nextCursor).toBeNull();
    const first = await rig.get("/v1/events?command=c7&limit=4");
    const second = await rig.get(`/v1/events?command=c7&limit=4&cursor=${first.body.nextCursor}`);
    expect([...first.body.items, ...second.body.items].map((event: { id: string }) => event.id)).toEqual(own);
    expect((await rig.get("/v1/events?command=nobody")).body).toEqual({ items: [], nextCursor: null });
    const sent = await rig.get("/v1/events?command=c7&type=CommandSent");
    expect(sent.body.items).toHaveLength(1);
  });
});
