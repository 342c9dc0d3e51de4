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

/**
 * @param {number | null | undefined} value
 * @param {string} [unit]
 */
export const figure = (value, unit = "") =>
  value === null || value === undefined ? "unknown" : `${value.toFixed(2)}${unit ? ` ${unit}` : ""}`;

/** @param {number | null} ms */
export const age = (ms) =>
  ms === null ? "unknown" : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;

/** @param {string} rfc3339 */
export const clockTime = (rfc3339) =>
  new Date(rfc3339).toLocaleTimeString(undefined, { hour12: false }) + rfc3339.slice(19, 23);

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
  offline: "does not answer",
};
/** @param {string} state */
export const stateWord = (state) => STATE_WORDS[state] ?? state;

/**
 * What needs attention on an axis, worst first.
 * @param {any} axis
 * @returns {{kind: "bad" | "warn" | "plain", text: string}[]}
 */
export function flags(axis) {
  /** @type {{kind: "bad" | "warn" | "plain", text: string}[]} */
  const all = [];
  if (axis.fault) all.push({ kind: "bad", text: `fault ${axis.fault.code}: ${axis.fault.name}` });
  if (axis.state === "offline") all.push({ kind: "bad", text: "does not answer" });
  if (axis.reconcileRequired) all.push({ kind: "bad", text: "reconcile required" });
  if (axis.stopLatched) all.push({ kind: "warn", text: "stop latched, reset it" });
  if (axis.quality === "stale" && axis.state !== "offline") all.push({ kind: "warn", text: "old values" });
  if (!axis.homed) all.push({ kind: "plain", text: "not homed" });
  return all;
}
