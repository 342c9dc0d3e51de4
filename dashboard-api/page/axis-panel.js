import { age, byId, element, figure, flagsOf, setFlags, setText, stateWord } from "./text.js";
import { TravelBar } from "./travel-bar.js";

/** @typedef {import("@servofleet/contracts").AxisView} AxisView */

const TARGETS = /** @type {const} */ (["commanded", "sent", "acknowledged"]);

/** The selected axis: state, what to do about it, and the four positions that must not be mixed up. */
export class AxisPanel {
  #bar = new TravelBar();
  /** @type {Map<string, {value: HTMLElement, age: HTMLElement, off: HTMLElement}>} */
  #rows = new Map();
  #reconcile = byId("reconcile");

  constructor() {
    byId("axis-travel").append(this.#bar.root);
    for (const name of ["measured", ...TARGETS]) {
      const cells = { value: element("td"), age: element("td"), off: element("td") };
      byId("positions").append(
        element("tr", {}, element("th", { scope: "row" }, name), cells.value, cells.off, cells.age),
      );
      this.#rows.set(name, cells);
    }
  }

  /**
   * @param {AxisView} axis
   * @param {import("./fleet-picture.js").FleetPicture} picture
   */
  show(axis, picture) {
    const { unitName, measured } = axis;
    const sinceMs = picture.sinceHeardMs(axis.id);
    const limits = picture.limits.get(axis.id);
    setText(byId("axis-name"), axis.id);
    setText(byId("axis-drive"), `${axis.profile}, unit ${axis.unit} on ${axis.link}`);
    setText(byId("axis-state"), stateWord(axis.state));
    setFlags(byId("axis-flags"), flagsOf(axis));
    setText(byId("axis-attention"), attention(axis));
    if (this.#reconcile.hidden === axis.reconcileRequired) this.#reconcile.hidden = !axis.reconcileRequired;
    byId("detail").classList.toggle("stale", measured.quality !== "good");
    for (const unit of document.querySelectorAll(".unit")) setText(unit, unitName);
    setText(byId("move-axis"), axis.id);
    setText(byId("move-limits"), limits ? `limits ${figure(limits.min)} to ${figure(limits.max, unitName)}` : "");
    this.#bar.show(axis, limits);
    this.#row("measured", measured.position, measured.ageMs, sinceMs, axis);
    for (const name of TARGETS) this.#row(name, axis[name]?.position ?? null, axis[name]?.ageMs ?? null, sinceMs, axis);
    const speed = measured.velocity === null ? "speed unknown" : `speed ${figure(measured.velocity, `${unitName}/s`)}`;
    const torque = measured.torque === null ? "" : `, torque ${figure(measured.torque, "%")}`;
    setText(byId("axis-speed"), `${speed}${torque}, quality ${measured.quality}`);
  }

  /**
   * @param {string} name
   * @param {number | null} position
   * @param {number | null} ageMs
   * @param {number} sinceMs
   * @param {AxisView} axis
   */
  #row(name, position, ageMs, sinceMs, { measured, unitName }) {
    const row = this.#rows.get(name);
    if (!row) return;
    const none = name === "measured" ? "unknown" : "none";
    setText(row.value, position === null ? none : figure(position, unitName));
    setText(row.age, ageMs === null ? "" : age(ageMs + sinceMs));
    const off =
      name !== "measured" && position !== null && measured.position !== null ? measured.position - position : null;
    setText(row.off, off === null ? "" : `${off >= 0.005 ? "+" : ""}${figure(off)}`);
  }
}

/** What is not as it should be, and what to do about it, in words. @param {AxisView} axis */
function attention(axis) {
  const lines = [];
  if (axis.fault) lines.push(`Fault ${axis.fault.code}, ${axis.fault.name}. What to do: ${axis.fault.remedy}.`);
  if (axis.state === "offline")
    lines.push("The drive does not answer: what is shown is the last that was read. It comes back by itself.");
  if (axis.reconcileRequired)
    lines.push("Look at the axis. Adopt: what it does now is as wanted. Abandon: what was under way is given up.");
  if (axis.stopLatched) lines.push("A stop is latched: Reset frees it and moves nothing.");
  if (axis.measured.quality !== "good" && axis.state !== "offline") lines.push("The values are old.");
  if (lines.length === 0 && !axis.homed) lines.push("Not homed: moves to a position are refused until it is.");
  return lines.join(" ").replaceAll("..", ".") || "Nothing needs attention.";
}
