import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import Fastify from "fastify";
import { expect, it, vi } from "vitest";
import { SSE_BUFFER_MAX, SseChannel, SseChannels } from "./sse-channel.ts";

const until = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 5 });

/** One client that asks and then reads nothing. */
async function deafClient() {
  const directory = await mkdtemp(join(tmpdir(), "servofleet-sse-"));
  const clock = new FakeClock();
  const channels = new SseChannels();
  const app = Fastify({ forceCloseConnections: true });
  const opened = Promise.withResolvers<SseChannel>();
  app.get("/stream", async (request, reply) => {
    const channel = new SseChannel(request, reply, clock);
    channels.add(channel);
    opened.resolve(channel);
  });
  await app.listen({ path: join(directory, "s.sock") });
  const socket = connect(join(directory, "s.sock")).on("error", () => undefined);
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  socket.write("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const channel = await opened.promise;
  return {
    clock,
    channels,
    channel,
    socket,
    text: () => text,
    async close() {
      socket.destroy();
      channels.close();
      await app.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

it("closes a client whose buffer overflows, and counts it", async () => {
  const { channel, channels, socket, close } = await deafClient();
  socket.pause();
  const block = `data: ${"x".repeat(16_000)}\n\n`;
  let written = 0;
  while (channel.write(block)) {
    written += block.length;
    expect(written).toBeLessThan(64 * SSE_BUFFER_MAX);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(channel.signal.aborted).toBe(true);
  expect(channels).toMatchObject({ size: 0, overflows: 1 });
  await close();
});

it("closes a client that takes nothing for fifteen seconds", async () => {
  const { channel, channels, clock, socket, close } = await deafClient();
  socket.pause();
  while (channel.buffered < 100_000) channel.write(`data: ${"x".repeat(16_000)}\n\n`);
  const drained = channel.drained();
  await clock.advance(14_999);
  expect(channel.signal.aborted).toBe(false);
  await clock.advance(1);
  await drained;
  expect(channels).toMatchObject({ size: 0, overflows: 1 });
  await close();
});

it("keeps a quiet stream alive with a comment that also moves the last id on", async () => {
  const { channel, clock, text, close } = await deafClient();
  channel.markId = () => "L.7";
  await clock.advance(10_000);
  await until(() => expect(text()).toContain(": beat\nid: L.7\n\n"));
  expect(text()).toMatch(/content-type: text\/event-stream/i);
  await close();
});
