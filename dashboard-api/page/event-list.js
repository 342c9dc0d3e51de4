import { EVENTS_KEPT } from "./feed.js";
import { clockTime, element, figure } from "./text.js";

/** @typedef {import("@servofleet/contracts").CloudEvent} CloudEvent */

/** What a person should not miss in the list. */
const ABNORMAL =
  /FaultRaised|Failed|Rejected|Expired|Offline|WentDown|Lost|Indeterminate|Unexpected|LimitReached|Unknown|Required|StopLatched|Stepped/;

/** The newest events, newest first. */
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

  /** @param {readonly CloudEvent[]} events oldest first */
  add(events) {
    const rows = events.slice(-EVENTS_KEPT).map((event) => this.#row(event));
    this.#list.prepend(...rows.reverse());
    while (this.#list.childElementCount > EVENTS_KEPT) this.#list.lastElementChild?.remove();
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** @param {CloudEvent} event */
  #row(event) {
    const name = eventName(event);
    const data = /** @type {any} */ (event.data);
    const row = element(
      "li",
      { class: ABNORMAL.test(name) || data.problem ? "bad" : "", "data-position": event.logposition },
      element("time", { datetime: event.time }, clockTime(event.time)),
      element("span", { class: "source" }, event.subject.replace(/^axis-/, "")),
      element("span", { class: "event" }, name),
      element("span", { class: "quiet" }, summary(data)),
    );
    const { commandid } = event;
    if (commandid) {
      const link = element(
        "button",
        {
          class: "link",
          type: "button",
          "data-story": commandid,
          "aria-label": `story of ${name} on ${event.subject}`,
        },
        "story",
      );
      link.addEventListener("click", () => this.#onCommand(commandid));
      row.append(link);
    }
    return row;
  }
}

/** @param {CloudEvent} event */
export const eventName = (event) => event.type.replace(/^servofleet\.|\.v\d+$/g, "");

/** The few words of an event's data that a person wants first.
 * @param {any} data */
function summary(data) {
  if (data.problem) return data.problem.detail;
  if (data.fault) return `${data.fault.code} ${data.fault.name}`;
  if (data.state) return data.state;
  if (data.reason) return data.reason;
  if (data.result) return data.result;
  const given = (/** @type {unknown} */ value) => value !== undefined && value !== null;
  if (given(data.finalPosition)) return `at ${figure(data.finalPosition)}`;
  if (given(data.target)) return `to ${figure(data.target)}`;
  if (given(data.position)) return `at ${figure(data.position)}`;
  return "";
}
