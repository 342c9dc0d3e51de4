import type { Clock, Timer } from "@servofleet/runtime/clock";
import { type SseChannel, sseText } from "../http/sse-channel.ts";
import type { AxisRow } from "../projections/axis-row.ts";
import type { ReadModel } from "../read-model/read-model.ts";
import { axisView } from "../views/axis-view.ts";
import type { Aged, LiveSample, LiveValues } from "./live-values.ts";

/** At most 20 pictures a second. */
const TICK_MS = 50;
/** A client with more than this on its way gets no new picture: it will get the newest one later. */
const BACKLOG_BYTES = 32 * 1024;
/** A value nobody renews turns stale by time alone: looked for twice a second. */
const QUALITY_TICKS = 10;

interface Shown {
  readonly row: AxisRow;
  readonly live: Aged<LiveSample> | undefined;
  readonly quality: string;
}
interface Client {
  readonly channel: SseChannel;
  readonly axis: string | undefined;
  /** Axes that changed since this client's last picture: newest value only, never a queue. */
  readonly due: Set<string>;
}

/** The newest values of each axis to many clients, conflated: made once per tick, whoever is slow skips pictures. */
export class LiveStream {
  readonly #model: ReadModel;
  readonly #live: LiveValues;
  readonly #clock: Clock;
  readonly #clients = new Set<Client>();
  readonly #shown = new Map<string, Shown>();
  #timer: Timer | null = null;
  #ticks = 0;

  constructor(model: ReadModel, live: LiveValues, clock: Clock) {
    this.#model = model;
    this.#live = live;
    this.#clock = clock;
  }

  /** Sends the whole fleet once (or one axis), then what changes. */
  add(channel: SseChannel, axis: string | undefined): void {
    const client: Client = { channel, axis, due: new Set() };
    for (const row of this.#model.projectors.axes.rows.values()) if (row.configured) client.due.add(row.id);
    this.#clients.add(client);
    channel.signal.addEventListener("abort", () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#rest();
    });
    this.#send(client, new Map());
    this.#timer ??= this.#clock.every(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    const changed = this.#changed(++this.#ticks % QUALITY_TICKS === 0);
    const made = new Map<string, string>();
    for (const client of this.#clients) {
      for (const axis of changed) client.due.add(axis);
      if (client.due.size > 0) this.#send(client, made);
    }
  }

  #changed(withQuality: boolean): string[] {
    const changed: string[] = [];
    for (const row of this.#model.projectors.axes.rows.values()) {
      if (!row.configured) continue;
      const live = this.#live.sample(row.id);
      const before = this.#shown.get(row.id);
      const same = before?.row === row && before.live === live;
      if (same && !withQuality) continue;
      const { quality } = axisView(row, live, this.#now());
      if (same && before.quality === quality) continue;
      this.#shown.set(row.id, { row, live, quality });
      changed.push(row.id);
    }
    return changed;
  }

  #send(client: Client, made: Map<string, string>): void {
    const { channel, due, axis } = client;
    if (channel.buffered > BACKLOG_BYTES) return;
    let text = "";
    for (const id of due) {
      if (axis !== undefined && id !== axis) continue;
      const known = made.get(id) ?? this.#picture(id);
      made.set(id, known);
      text += known;
    }
    due.clear();
    if (text !== "") channel.write(text);
  }

  #picture(id: string): string {
    const row = this.#model.projectors.axes.rows.get(id);
    return row ? sseText({ data: JSON.stringify(axisView(row, this.#live.sample(id), this.#now())) }) : "";
  }

  #now() {
    return { wallUs: this.#clock.wallUs(), monotonicMs: this.#clock.monotonicMs() };
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
