/** @typedef {import("@servofleet/contracts").AxisView} AxisView */
/** @typedef {{kind: "bad" | "warn" | "plain", text: string}} Flag */

/**
 * Makes an element; text goes in as text, never as markup.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(string | Node)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found;
}

/** Writes only what differs: a screen reader, a selection and the layout are left alone.
 * @param {Element} node
 * @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} node
 * @param {readonly Flag[]} flags
 */
export function setFlags(node, flags) {
  const key = JSON.stringify(flags);
  if (node.getAttribute("data-flags") === key) return;
  node.setAttribute("data-flags", key);
  node.replaceChildren(
    ...flags.map((flag) => element("span", { class: `flag ${flag.kind}`, title: flag.text }, flag.text)),
  );
}

/** A minus as wide as a digit's plus, so that columns of figures stay aligned.
 * @param {number | null | undefined} value
 * @param {string} [unit] */
export const figure = (value, unit = "") =>
  value === null || value === undefined
    ? "unknown"
    : `${(Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−")}${unit ? ` ${unit}` : ""}`;

/** Whole seconds: an age that flickers in tenths is noise.
 * @param {number | null} ms */
export function age(ms) {
  if (ms === null) return "never";
  if (ms < 1000) return "< 1 s";
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

/** Local time to the millisecond. @param {string} rfc3339 */
export const clockTime = (rfc3339) => secondsTime(Date.parse(rfc3339) / 1000) + rfc3339.slice(19, 23);

/** @param {number} seconds since 1970 */
export const secondsTime = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour12: false });

/** Words for the states of PLCopen, as an operator says them.
 * @type {Record<string, string>} */
const STATE_WORDS = {
  disabled: "disabled",
  standstill: "standing",
  homing: "homing",
  "discrete-motion": "moving",
  "continuous-motion": "turning",
  "synchronized-motion": "following",
  stopping: "stopping",
  "error-stop": "fault",
  offline: "offline",
};
/** @param {string} state */
export const stateWord = (state) => STATE_WORDS[state] ?? state;

/**
 * What needs attention on an axis, worst first.
 * @param {AxisView} axis
 * @returns {Flag[]}
 */
export function flagsOf(axis) {
  /** @type {Flag[]} */
  const all = [];
  if (axis.fault) all.push({ kind: "bad", text: `${axis.fault.code} ${axis.fault.name}` });
  if (axis.state === "offline") all.push({ kind: "bad", text: "does not answer" });
  if (axis.reconcileRequired) all.push({ kind: "bad", text: "reconcile required" });
  if (axis.stopLatched) all.push({ kind: "warn", text: "stop latched" });
  if (axis.measured.quality !== "good" && axis.state !== "offline") all.push({ kind: "warn", text: "old values" });
  if (!axis.homed) all.push({ kind: "plain", text: "not homed" });
  return all;
}
