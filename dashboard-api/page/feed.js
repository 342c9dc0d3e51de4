/** @typedef {import("@servofleet/contracts").AxisView} AxisView */
/** @typedef {import("@servofleet/contracts").AlarmView} AlarmView */
/** @typedef {import("@servofleet/contracts").CloudEvent} CloudEvent */
/**
 * What the feed tells a page. `failed` carries why the box could not be read.
 * @typedef {{kind: "axes", axes: AxisView[]} | {kind: "axis", axis: AxisView} | {kind: "alarms", alarms: AlarmView[]}
 *   | {kind: "events", events: CloudEvent[]} | {kind: "reset"} | {kind: "failed", why: string}} News
 */
import { Box, words } from "./api.js";

const POLL_MS = 1000;
const AGAIN_MS = 1000;
/** Events kept for a page that comes later. */
export const EVENTS_KEPT = 200;
const FIRST_PAGE = 60;
const EVENT_PAGES_MAX = 20;

/**
 * Everything that a page watches: the live picture, the events, the alarms. The live stream is silent when nothing
 * changes, so a poll tells a calm box from a dead one. It comes back by itself after any loss.
 */
export class Feed {
  #box = new Box();
  /** @type {(news: News) => void} */
  #tell;
  /** @type {CloudEvent[]} */
  #events = [];
  /** Log position of the newest event told; null before the first. @type {string | null} */
  #after = null;

  /** @param {(news: News) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  start() {
    this.#listenLive();
    this.#listenEvents();
    this.#poll();
  }

  /** For a page that has just come.
   * @returns {News[]} */
  known() {
    return this.#events.length === 0 ? [] : [{ kind: "events", events: this.#events }];
  }

  /** Frees the connection of a read under way: something more urgent wants it. */
  giveWay() {
    this.#box.giveUpReads();
  }

  async #poll() {
    try {
      const { items } = await this.#box.read("/v1/axes?limit=200");
      this.#tell({ kind: "axes", axes: items });
      const alarms = await this.#box.read("/v1/alarms?state=active&limit=50");
      this.#tell({ kind: "alarms", alarms: alarms.items });
    } catch (error) {
      this.#tell({ kind: "failed", why: words(error) });
    }
    setTimeout(() => this.#poll(), POLL_MS);
  }

  #listenLive() {
    const live = new EventSource("/v1/live");
    live.onmessage = ({ data }) => this.#tell({ kind: "axis", axis: JSON.parse(data) });
    live.onerror = () => this.#again(live, () => this.#listenLive());
  }

  /** First what was missed, page by page, then the stream from there on. */
  async #listenEvents() {
    try {
      await this.#catchUp();
    } catch {
      setTimeout(() => this.#listenEvents(), AGAIN_MS);
      return;
    }
    const stream = new EventSource(`/v1/events/stream?afterPosition=${encodeURIComponent(this.#after ?? "0")}`);
    stream.onmessage = ({ data }) => this.#take([JSON.parse(data)]);
    stream.addEventListener("reset", () => this.#forget());
    stream.onerror = () => this.#again(stream, () => this.#listenEvents());
  }

  async #catchUp() {
    const newest = await this.#box.newestPosition();
    const known = this.#after?.split(".");
    // Another log, or one that is shorter than what was told: what the page shows is of a past that is no more.
    if (known && (known[0] !== newest.log || Number(known[1]) > newest.number)) this.#forget();
    if (this.#after === null || newest.number - Number(this.#after.split(".")[1]) > FIRST_PAGE * EVENT_PAGES_MAX)
      this.#after = `${newest.log}.${Math.max(0, newest.number - FIRST_PAGE)}`;
    for (let page = 0; page < EVENT_PAGES_MAX; page++) {
      const after = encodeURIComponent(this.#after);
      const { items, nextCursor } = await this.#box.read(`/v1/events?afterPosition=${after}&limit=${FIRST_PAGE}`);
      this.#take(items);
      if (nextCursor === null) return;
    }
  }

  #forget() {
    this.#after = null;
    this.#events = [];
    this.#tell({ kind: "reset" });
  }

  /** @param {CloudEvent[]} events */
  #take(events) {
    const newest = events.at(-1);
    if (!newest) return;
    this.#after = newest.logposition;
    this.#events = [...this.#events, ...events].slice(-EVENTS_KEPT);
    this.#tell({ kind: "events", events });
  }

  /** A browser gives an event stream up for good when it is once answered with an error; this does not.
   * @param {EventSource} stream
   * @param {() => void} open */
  #again(stream, open) {
    if (stream.readyState !== EventSource.CLOSED) return;
    stream.close();
    setTimeout(open, AGAIN_MS);
  }
}
