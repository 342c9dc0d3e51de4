import { type IncomingMessage, request } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Rig, startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";

interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

/** A plain SSE reader on the real socket, as small as the format. */
function listen(socketPath: string, path: string, lastEventId?: string) {
  const messages: Message[] = [];
  let status = 0;
  let closed = false;
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const outgoing = request({ socketPath, path, headers, agent: false }, (response) => {
    status = response.statusCode ?? 0;
    let rest = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const blocks = (rest + chunk).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const fields = Object.fromEntries(
          block
            .split("\n")
            .filter((line) => !line.startsWith(":"))
            .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
        );
        if (fields["data"] !== undefined) messages.push(fields);
      }
    });
    response.on("close", () => {
      closed = true;
    });
  });
  outgoing.on("error", () => {
    closed = true;
  });
  outgoing.end();
  return {
    messages,
    ids: () => messages.map((message) => Number(message.id?.split(".")[1])),
    get status() {
      return status;
    },
    get closed() {
      return closed;
    },
    cut: () => outgoing.destroy(),
  };
}
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 5 });

let log: LogBuilder;
let source: MemoryLogSource;
let rig: Rig;
beforeEach(async () => {
  log = new LogBuilder();
  log.configured(testFleet());
  log.move("c1", 10);
  source = new MemoryLogSource(log.events);
  rig = await startRig(source);
});
afterEach(() => rig.close());

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("GET /v1/events/stream", () => {
  it("is cut again and again and resumes without gap or duplicate while events keep coming", async () => {
    const seen: number[] = [];
    let last: string | undefined = "L.0";
    const total = 1500;
    for (let cut = 1; cut <= 5; cut++) {
      const stream = listen(rig.socketPath, "/v1/events/stream", last);
      while (log.events.length < (total / 5) * cut) source.append(log.state({ position: log.events.length }));
      const goal = 40 * cut * cut;
      await until(() => expect(seen.length + stream.messages.length).toBeGreaterThanOrEqual(goal));
      stream.cut();
      await until(() => expect(stream.closed).toBe(true));
      seen.push(...stream.ids());
      last = stream.messages.at(-1)?.id ?? last;
    }
    const rest = listen(rig.socketPath, "/v1/events/stream", last);
    await until(() => expect(seen.length + rest.messages.length).toBe(total));
    expect([...seen, ...rest.ids()]).toEqual(range(1, total));
    rest.cut();
  });

  it("begins with what comes next, or after the position that is asked for", async () => {
    const next = listen(rig.socketPath, "/v1/events/stream");
    const from = listen(rig.socketPath, "/v1/events/stream?afterPosition=L.4");
    await until(() => expect(next.status).toBe(200));
    const count = log.events.length;
    source.append(log.state({}));
    await until(() => expect(next.ids()).toEqual([count + 1]));
    await until(() => expect(from.ids()).toEqual(range(5, count + 1)));
    expect(JSON.parse(next.messages[0]?.data ?? "{}")).toMatchObject({
      type: "servofleet.AxisStateChanged.v1",
      logposition: `L.${count + 1}`,
    });
    next.cut();
    from.cut();
  });

  it("sends only what the filter wants", async () => {
    const stream = listen(rig.socketPath, "/v1/events/stream?type=CommandSucceeded,MoveAccepted&axis=x1", "L.0");
    await until(() => expect(stream.ids()).toEqual([2, 8]));
    source.append(log.state({}), log.add("axis-x2", "AxisWentOffline", { reason: "no answer" }));
    log.move("c2", 20);
    source.append(...log.events.slice(-8));
    await until(() => expect(stream.ids()).toEqual([2, 8, 12, 18]));
    stream.cut();
  });

  it("tells a client of another log to start anew", async () => {
    for (const foreign of ["OTHER.3", "L.99999", "nonsense"]) {
      const stream = listen(rig.socketPath, "/v1/events/stream", foreign);
      await until(() => expect(stream.messages).toHaveLength(1));
      const here = `L.${log.events.length}`;
      expect(stream.messages[0]).toEqual({ id: here, event: "reset", data: JSON.stringify({ logPosition: here }) });
      source.append(log.state({}));
      await until(() => expect(stream.ids()).toEqual([log.events.length - 1, log.events.length]));
      stream.cut();
    }
  });

  it("refuses a filter that cannot match with a problem instead of a silent stream", async () => {
    expect((await rig.get("/v1/events/stream?type=Nonsense")).status).toBe(400);
    expect((await rig.get("/v1/events/stream?afterPosition=OTHER.3")).status).toBe(400);
  });

  it("lets nobody wait when the service closes", async () => {
    const stream = listen(rig.socketPath, "/v1/events/stream");
    await until(() => expect(stream.status).toBe(200));
    await rig.stop();
    await until(() => expect(stream.closed).toBe(true));
  });

  it("delivers everything, and holds only a bounded part of it, to a client that pauses", async () => {
    const total = 5000;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { "last-event-id": "L.0" };
      request({ socketPath: rig.socketPath, path: "/v1/events/stream", headers, agent: false }, resolve)
        .on("error", reject)
        .end();
    });
    response.pause();
    const before = log.events.length;
    while (log.events.length < total) log.state({ position: log.events.length });
    source.append(...log.events.slice(before));
    await until(async () => expect((await rig.get("/v1/events?limit=1")).headers["x-position"]).toBe(`L.${total}`));
    expect((await rig.get("/metrics")).text).toContain("servofleet_sse_overflows_total 0");
    const ids: number[] = [];
    let rest = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("id: L.")) ids.push(Number(line.slice(6)));
    });
    response.resume();
    await until(() => expect(ids.at(-1)).toBe(total));
    expect(ids).toEqual(range(1, total));
    response.destroy();
  });
});
