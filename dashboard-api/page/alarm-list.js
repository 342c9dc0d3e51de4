import { clockTime, element } from "./text.js";

/** The alarms that are active now, newest first, each with what to do. */
export class AlarmList {
  /** @type {HTMLElement} */
  #list;
  /** @type {HTMLElement} */
  #count;
  #shown = "";

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} count says in the header how many there are
   */
  constructor(list, count) {
    this.#list = list;
    this.#count = count;
  }

  /** @param {readonly import("@servofleet/contracts").AlarmView[]} alarms */
  show(alarms) {
    const key = alarms.map(({ id, message }) => id + message).join();
    if (key === this.#shown && this.#list.childElementCount > 0) return;
    this.#shown = key;
    this.#count.className = alarms.length === 0 ? "" : "bad";
    this.#count.textContent =
      alarms.length === 0 ? "no active alarm" : `${alarms.length} active alarm${alarms.length === 1 ? "" : "s"}`;
    this.#list.replaceChildren(
      ...alarms.map((alarm) =>
        element(
          "li",
          { "data-alarm": alarm.kind },
          element("time", { datetime: alarm.since }, clockTime(alarm.since).slice(0, 8)),
          element("span", { class: "source" }, alarm.source),
          element(
            "span",
            { class: "what" },
            element("strong", {}, alarm.message),
            element("span", { class: "remedy" }, `What to do: ${alarm.remedy}`),
          ),
        ),
      ),
    );
    if (alarms.length === 0) this.#list.append(element("li", { class: "quiet" }, "none"));
  }
}
