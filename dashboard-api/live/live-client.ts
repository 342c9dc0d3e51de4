import { connect, type Socket } from "node:net";
import type { LiveMessage } from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { LiveValues } from "./live-values.ts";

const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 1000;
/** A line longer than this is no message of ours. */
const LINE_MAX = 64 * 1024;

/**
 * Client of the controller's live socket: one JSON object per line, lossy. The controller may be absent or restart at
 * any time; then values simply grow old.
 */
export class LiveClient {
  readonly #path: string;
  readonly #values: LiveValues;
  readonly #clock: Clock;
  #socket: Socket | null = null;
  #retry: Timer | null = null;
  #waitMs = RETRY_FIRST_MS;
  #closed = false;
  /** Lines that could not be read. */
  refused = 0;

  constructor(path: string, values: LiveValues, clock: Clock) {
    this.#path = path;
    this.#values = values;
    this.#clock = clock;
    this.#open();
  }

  get connected(): boolean {
    return this.#socket?.readyState === "open";
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#socket?.destroy();
  }

  #open(): void {
    const socket = connect(this.#path);
    this.#socket = socket;
    let rest = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => {
      this.#waitMs = RETRY_FIRST_MS;
    });
    socket.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
      if (rest.length > LINE_MAX) socket.destroy();
    });
    // An error is always followed by "close", which is where the next try begins.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#again());
  }

  #again(): void {
    if (this.#closed) return;
    this.#retry = this.#clock.after(this.#waitMs, () => this.#open(), true);
    this.#waitMs = Math.min(this.#waitMs * 2, RETRY_MAX_MS);
  }

  #take(line: string): void {
    if (line === "") return;
    const message = parsed(line);
    if (message) this.#values.take(message);
    else this.refused++;
  }
}

function parsed(line: string): LiveMessage | null {
  try {
    const message = JSON.parse(line) as Partial<LiveMessage>;
    if (message.type === "sample" && typeof message.axis === "string" && typeof message.atUs === "number")
      return message as LiveMessage;
    return message.type === "link-stats" && message.stats ? (message as LiveMessage) : null;
  } catch {
    return null;
  }
}
