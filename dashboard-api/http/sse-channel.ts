import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { FastifyReply, FastifyRequest } from "fastify";

/** Bytes that may wait for one slow client; beyond it the connection ends and the client resumes by its last id. */
export const SSE_BUFFER_MAX = 256 * 1024;
/** A comment after so long a silence, so that proxies keep the connection and clients see that it lives. */
const HEARTBEAT_MS = 10_000;
/** A client that takes nothing for so long is gone. */
const DRAIN_LIMIT_MS = 15_000;
/** How long a client waits before it connects again, ms. */
const RETRY_MS = 2000;
export const SSE_CLIENTS_MAX = 500;

export interface SseMessage {
  readonly id?: string;
  readonly event?: string;
  readonly data: string;
}
/** JSON has no line breaks, so one data line is enough. */
export const sseText = ({ id, event, data }: SseMessage): string =>
  `${id === undefined ? "" : `id: ${id}\n`}${event === undefined ? "" : `event: ${event}\n`}data: ${data}\n\n`;

/** One client of a `text/event-stream`: bounded, kept alive, closed once. */
export class SseChannel {
  readonly #raw: ServerResponse;
  readonly #heartbeat: Timer;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  /** Told with every heartbeat when set: filtered-out events advance the client's last id without a message. */
  markId: (() => string) | null = null;
  overflowed = false;

  constructor(request: FastifyRequest, reply: FastifyReply, clock: Clock) {
    reply.hijack();
    this.#raw = reply.raw;
    this.#clock = clock;
    this.#raw.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    this.#raw.on("error", () => this.close());
    request.raw.on("close", () => this.close());
    this.#raw.on("close", () => this.close());
    this.#heartbeat = clock.every(HEARTBEAT_MS, () => this.#beat());
    this.write(`retry: ${RETRY_MS}\n\n`);
  }

  /** Aborts when the client has gone or was closed. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }
  get buffered(): number {
    return this.#raw.writableLength;
  }

  /** False when the client is gone or too slow; then the connection is closed. */
  write(text: string): boolean {
    if (this.signal.aborted) return false;
    this.#raw.write(text);
    if (this.#raw.writableLength <= SSE_BUFFER_MAX) return true;
    this.overflowed = true;
    this.close();
    return false;
  }

  /** Waits until the client has taken what was written; closes one that does not. */
  async drained(): Promise<void> {
    if (this.signal.aborted || !this.#raw.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        limit.cancel();
        this.#raw.off("drain", done);
        this.signal.removeEventListener("abort", done);
        resolve();
      };
      const limit = this.#clock.after(DRAIN_LIMIT_MS, () => {
        this.overflowed = true;
        this.close();
      });
      this.#raw.once("drain", done);
      this.signal.addEventListener("abort", done, { once: true });
    });
  }

  #beat(): void {
    this.write(this.markId ? `: beat\nid: ${this.markId()}\n\n` : ": beat\n\n");
  }

  close(): void {
    if (this.signal.aborted) return;
    this.#ended.abort();
    this.#heartbeat.cancel();
    // A slow client never drains an orderly end.
    if (this.overflowed) this.#raw.destroy();
    else this.#raw.end();
  }
}

/** All open channels of the process: counted, bounded, closed together. */
export class SseChannels {
  readonly #open = new Set<SseChannel>();
  overflows = 0;

  get size(): number {
    return this.#open.size;
  }
  get full(): boolean {
    return this.#open.size >= SSE_CLIENTS_MAX;
  }

  add(channel: SseChannel): void {
    this.#open.add(channel);
    channel.signal.addEventListener("abort", () => {
      this.#open.delete(channel);
      if (channel.overflowed) this.overflows++;
    });
  }

  close(): void {
    for (const channel of this.#open) channel.close();
  }
}
