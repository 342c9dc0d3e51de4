import { element, figure, setText } from "./text.js";

/** Where an axis stands between its limits, and where it was told to go. */
export class TravelBar {
  root = element("div", { class: "travel" });
  #track = element("div", { class: "track" });
  #position = element("i", { class: "at" });
  #target = element("b", { class: "target" });
  #min = element("span", { class: "limit" });
  #max = element("span", { class: "limit" });

  constructor() {
    this.#track.append(this.#target, this.#position);
    this.root.append(this.#min, this.#track, this.#max);
  }

  /**
   * @param {import("@servofleet/contracts").AxisView} axis
   * @param {import("./fleet-picture.js").Limits | undefined} limits
   */
  show(axis, limits) {
    setText(this.#min, limits ? short(limits.min) : "?");
    setText(this.#max, limits ? short(limits.max) : "?");
    place(this.#position, axis.measured.position, limits);
    place(this.#target, axis.commanded?.position ?? null, limits);
    const target = axis.commanded ? `, target ${figure(axis.commanded.position, axis.unitName)}` : "";
    const range = limits ? `, limits ${figure(limits.min)} to ${figure(limits.max, axis.unitName)}` : "";
    const title = `position ${figure(axis.measured.position, axis.unitName)}${target}${range}`;
    if (this.#track.title !== title) this.#track.title = title;
  }
}

/** @param {number} value */
const short = (value) => String(Number(value.toPrecision(5))).replace("-", "−");

/**
 * @param {HTMLElement} mark
 * @param {number | null} value
 * @param {{min: number, max: number} | undefined} limits
 */
function place(mark, value, limits) {
  mark.hidden = !limits || value === null;
  if (!limits || value === null) return;
  const share = (value - limits.min) / (limits.max - limits.min);
  mark.style.left = `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
  // Beyond a limit the mark stays at the end of the bar, and says so by its shape.
  mark.classList.toggle("beyond", share < 0 || share > 1);
}
