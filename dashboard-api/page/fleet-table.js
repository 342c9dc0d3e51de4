import { age, element, figure, flags, stateWord } from "./text.js";

/**
 * The rows of the fleet table. Rows are kept and changed in place, so that nothing jumps under a finger.
 */
export class FleetTable {
  /** @type {HTMLElement} */
  #body;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** @type {(axis: string) => void} */
  #onSelect;
  /** @type {(axis: string) => void} */
  #onStop;

  /**
   * @param {HTMLElement} body
   * @param {(axis: string) => void} onSelect
   * @param {(axis: string) => void} onStop
   */
  constructor(body, onSelect, onStop) {
    this.#body = body;
    this.#onSelect = onSelect;
    this.#onStop = onStop;
  }

  /**
   * @param {any} axis
   * @param {{min: number, max: number} | undefined} limits
   * @param {boolean} selected
   */
  show(axis, limits, selected) {
    const row = this.#rows.get(axis.id) ?? this.#add(axis.id);
    row.setAttribute("aria-selected", String(selected));
    row.dataset["state"] = axis.state;
    const cell = (/** @type {string} */ name) => /** @type {HTMLElement} */ (row.querySelector(`.${name}-cell`));
    cell("state").textContent = stateWord(axis.state);
    cell("position").textContent = figure(axis.measured.position, axis.unitName);
    cell("position").classList.toggle("stale", axis.measured.quality !== "good");
    cell("target").textContent = axis.commanded ? figure(axis.commanded.position, axis.unitName) : "";
    cell("age").textContent = age(axis.measured.ageMs);
    cell("attention").replaceChildren(
      ...flags(axis).map((flag) => element("span", { class: `flag ${flag.kind}` }, flag.text)),
    );
    placeOnBar(/** @type {HTMLElement} */ (row.querySelector(".travel")), axis, limits);
  }

  /** @param {string} id */
  #add(id) {
    const name = element("button", { class: "name", type: "button" }, id);
    const stop = element(
      "button",
      { class: "stop-one", type: "button", title: `Software stop of ${id} alone` },
      "Stop",
    );
    stop.addEventListener("click", (event) => {
      event.stopPropagation();
      this.#onStop(id);
    });
    const bar = element("div", { class: "travel" }, element("b"), element("i"));
    const row = element(
      "tr",
      { "data-axis": id },
      element("td", {}, name),
      element("td", { class: "state-cell" }),
      element("td", { class: "position-cell number" }),
      element("td", {}, bar),
      element("td", { class: "target-cell number" }),
      element("td", { class: "age-cell number" }),
      element("td", { class: "attention-cell" }),
      element("td", {}, stop),
    );
    row.addEventListener("click", () => this.#onSelect(id));
    this.#rows.set(id, row);
    this.#body.append(row);
    return row;
  }
}

/**
 * @param {HTMLElement} bar
 * @param {any} axis
 * @param {{min: number, max: number} | undefined} limits
 */
function placeOnBar(bar, axis, limits) {
  const at = (/** @type {number | null | undefined} */ value) =>
    limits && value !== null && value !== undefined
      ? Math.min(100, Math.max(0, (100 * (value - limits.min)) / (limits.max - limits.min)))
      : null;
  const put = (/** @type {string} */ selector, /** @type {number | null} */ share) => {
    const mark = /** @type {HTMLElement} */ (bar.querySelector(selector));
    mark.hidden = share === null;
    if (share !== null) mark.style.left = `calc(${share}% - 1px)`;
  };
  put("i", at(axis.measured.position));
  put("b", at(axis.commanded?.position));
  bar.title = limits ? `${limits.min} to ${limits.max} ${axis.unitName}` : "limits unknown";
}
