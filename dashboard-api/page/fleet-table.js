import { onPress } from "./press.js";
import { age, element, figure, flagsOf, setFlags, setText, stateWord } from "./text.js";
import { TravelBar } from "./travel-bar.js";

/**
 * @typedef {{row: HTMLElement, name: HTMLElement, bar: TravelBar,
 *   cells: Record<"state" | "flags" | "position" | "target" | "age", HTMLElement>}} Row
 */

/** The rows of the fleet. They are kept and changed in place, so that nothing jumps under a finger. */
export class FleetTable {
  /** @type {HTMLElement} */
  #body;
  /** @type {Map<string, Row>} */
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
   * @param {import("./fleet-picture.js").FleetPicture} picture
   * @param {string} selected
   */
  show(picture, selected) {
    for (const axis of picture.all) {
      const shown = this.#rows.get(axis.id) ?? this.#add(axis.id);
      this.#fill(shown, axis, axis.id === selected, picture);
    }
    for (const [id, { row }] of this.#rows) {
      if (picture.axis(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    this.#order(picture.all.map(({ id }) => id));
  }

  /** Another fleet may have come with another order; as long as it is the same no row is touched.
   * @param {readonly string[]} ids */
  #order(ids) {
    ids.forEach((id, index) => {
      const row = this.#rows.get(id)?.row;
      const there = this.#body.children[index] ?? null;
      if (row && row !== there) this.#body.insertBefore(row, there);
    });
  }

  /**
   * @param {Row} shown
   * @param {import("@servofleet/contracts").AxisView} axis
   * @param {boolean} selected
   * @param {import("./fleet-picture.js").FleetPicture} picture
   */
  #fill({ row, name, bar, cells }, axis, selected, picture) {
    row.classList.toggle("selected", selected);
    name.setAttribute("aria-pressed", String(selected));
    row.dataset["state"] = axis.state;
    row.classList.toggle("stale", axis.measured.quality !== "good");
    setText(cells.state, stateWord(axis.state));
    setFlags(
      cells.flags,
      flagsOf(axis).filter(({ text }) => text !== "does not answer"),
    );
    setText(cells.position, figure(axis.measured.position, axis.unitName));
    setText(cells.target, axis.commanded ? figure(axis.commanded.position, axis.unitName) : "");
    const { ageMs } = axis.measured;
    setText(cells.age, age(ageMs === null ? null : ageMs + picture.sinceHeardMs(axis.id)));
    bar.show(axis, picture.limits.get(axis.id));
  }

  /** @param {string} id */
  #add(id) {
    const name = element("button", { class: "name", type: "button", "aria-pressed": "false" }, id);
    const stop = element("button", { class: "stop-one", type: "button", "aria-label": `Stop ${id}` }, "Stop");
    stop.title = `Software stop of ${id} alone, without asking. Not a safety function`;
    onPress(stop, () => this.#onStop(id));
    const cell = (/** @type {string} */ kind, /** @type {(string | Node)[]} */ ...inside) =>
      element("td", { class: `${kind}-cell` }, ...inside);
    const word = element("span", { class: "word" });
    const flags = element("span", { class: "flags" });
    const cells = {
      state: word,
      flags,
      position: cell("position"),
      target: cell("target"),
      age: cell("age"),
    };
    const bar = new TravelBar();
    const row = element(
      "tr",
      { "data-axis": id },
      cell("stop", stop),
      element("th", { class: "name-cell", scope: "row" }, name),
      cell("state", word, " ", flags),
      cells.position,
      cell("travel", bar.root),
      cells.target,
      cells.age,
    );
    row.addEventListener("click", () => this.#onSelect(id));
    this.#body.append(row);
    const made = { row, name, bar, cells };
    this.#rows.set(id, made);
    return made;
  }
}
