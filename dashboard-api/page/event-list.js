import { read } from "./api.js";
import { clockTime, element } from "./text.js";

const EVENTS_SHOWN = 200;
const FIRST_PAGE = 60;
/** What a person should not miss in the list. */
const ABNORMAL = /Fault|Failed|Rejected|Offline|Down|Lost|Indeterminate|Unexpected|Limit|Unknown/;

/** The newest events, newest first, fed by the event stream. */
export class EventList {
  /** @type {HTMLElement} */
  #list;
  /** @type {(commandId: string) => void} */
  #onCommand;

  /**
   * @param {HTMLElement} list
   * @param {(commandId: string) => void} onCommand
   */
  constructor(list, onCommand) {
    this.#list = list;
    this.#onCommand = onCommand;
  }

  /** Shows what is there and goes on with what comes; `onEvent` is called for each new one.
   * @param {() => void} onEvent */
  async listen(onEvent) {
    const stream = new EventSource("/v1/events/stream");
    /** @type {Set<string>} */
    const seen = new Set();
    const take = (/** @type {any} */ event) => {
      if (seen.has(event.id)) return;
      seen.add(event.id);
      if (seen.size > 4 * EVENTS_SHOWN) seen.clear();
      this.#add(event);
    };
    stream.addEventListener("message", (message) => {
      take(JSON.parse(message.data));
      onEvent();
    });
    const probe = await fetch("/v1/events?limit=1", { cache: "no-store" }).catch(() => undefined);
    const newest = Number((probe?.headers.get("X-Position") ?? ".0").split(".")[1]);
    const { items } = await read(
      `/v1/events?afterPosition=${Math.max(0, newest - FIRST_PAGE)}&limit=${FIRST_PAGE}`,
    ).catch(() => ({ items: [] }));
    for (const event of items) take(event);
  }

  /** @param {any} event */
  #add(event) {
    const name = event.type.replace(/^servofleet\.|\.v\d+$/g, "");
    const row = element(
      "li",
      { class: ABNORMAL.test(name) ? "bad" : "" },
      element("time", { datetime: event.time }, clockTime(event.time)),
      element("span", { class: "at" }, event.subject),
      element("span", {}, name),
      element("span", { class: "quiet" }, summary(event.data)),
    );
    if (event.commandid) {
      const link = element("button", { class: "link", type: "button" }, "story");
      link.addEventListener("click", () => this.#onCommand(event.commandid));
      row.append(link);
    }
    this.#list.prepend(row);
    while (this.#list.childElementCount > EVENTS_SHOWN) this.#list.lastElementChild?.remove();
  }
}

/** The few words of an event's data that a person wants first.
 * @param {any} data */
function summary(data) {
  if (data.problem) return data.problem.detail;
  if (data.fault) return `${data.fault.code} ${data.fault.name}`;
  if (data.state) return data.state;
  if (data.reason) return data.reason;
  if (data.finalPosition !== undefined && data.finalPosition !== null) return `at ${data.finalPosition.toFixed(2)}`;
  if (data.target !== undefined && data.target !== null) return `to ${data.target.toFixed(2)}`;
  return "";
}
