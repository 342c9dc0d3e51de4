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

  /** @type {Set<EventSource>} */
  #streams = new Set();
  /** Raised by each start and rest: what an earlier run still has under way then ends by itself. */
  #run = 0;

  /** @param {(news: News) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  start() {
    const run = ++this.#run;
    this.#listenLive(run);
    this.#listenEvents(run);
    this.#poll(run);
  }

  /** Gives every connection back until the next start. */
  rest() {
    this.#run++;
    this.#box.giveUpReads();
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
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

  /** @param {number} run */
  async #poll(run) {
    try {
      const { items } = await this.#box.read("/v1/axes?limit=200");
      this.#tell({ kind: "axes", axes: items });
      const alarms = await this.#box.read("/v1/alarms?state=active&limit=50");
      this.#tell({ kind: "alarms", alarms: alarms.items });
    } catch (error) {
      if (run === this.#run) this.#tell({ kind: "failed", why: words(error) });
    }
    this.#later(run, POLL_MS, () => this.#poll(run));
  }

  /** @param {number} run */
  #listenLive(run) {
    const live = this.#open("/v1/live", run, () => this.#listenLive(run));
    live.onmessage = ({ data }) => this.#tell({ kind: "axis", axis: JSON.parse(data) });
  }

  /** First what was missed, page by page, then the stream from there on.
   * @param {number} run */
  async #listenEvents(run) {
    const again = () => this.#listenEvents(run);
    try {
      await this.#catchUp();
    } catch {
      return this.#later(run, AGAIN_MS, again);
    }
    if (run !== this.#run) return;
    const path = `/v1/events/stream?afterPosition=${encodeURIComponent(this.#after ?? "0")}`;
    const stream = this.#open(path, run, again);
    stream.onmessage = ({ data }) => this.#take([JSON.parse(data)]);
    stream.addEventListener("reset", () => this.#forget());
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

  /**
   * A browser gives an event stream up for good when it is once answered with an error; this does not.
   * @param {string} path
   * @param {number} run
   * @param {() => void} again
   */
  #open(path, run, again) {
    const stream = new EventSource(path);
    this.#streams.add(stream);
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      this.#streams.delete(stream);
      this.#later(run, AGAIN_MS, again);
    };
    return stream;
  }

  /**
   * @param {number} run
   * @param {number} ms
   * @param {() => void} act
   */
  #later(run, ms, act) {
    setTimeout(() => {
      if (run === this.#run) act();
    }, ms);
  }
}
