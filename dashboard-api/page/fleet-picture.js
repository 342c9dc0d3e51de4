/** @typedef {import("@servofleet/contracts").AxisView} AxisView */
/** @typedef {{min: number, max: number}} Limits */

/** Without news for so long the page is blind. */
const BLIND_AFTER_MS = 3000;
/** The poll and the live stream race by no more than this; what is older still comes from a clock that was set back. */
const RACE_MS = 2000;

/** What this page last heard of each axis, and when: ages go on while nothing is heard. */
export class FleetPicture {
  /** @type {Map<string, {axis: AxisView, heardAtMs: number}>} */
  #axes = new Map();
  /** @type {Map<string, Limits>} */
  limits = new Map();
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** Why the box could not be read the last time it was tried. */
  #why = "";

  /** One axis. Before the whole fleet has been read it waits: rows appear once, in their order.
   * @param {AxisView} axis */
  take(axis) {
    this.#heard();
    const known = this.#axes.get(axis.id)?.axis;
    if (!known || isOlder(axis, known)) return;
    this.#axes.set(axis.id, { axis, heardAtMs: performance.now() });
  }

  /** The whole fleet in its order: what is not in it is gone.
   * @param {readonly AxisView[]} axes */
  takeAll(axes) {
    this.#heard();
    const heardAtMs = performance.now();
    const known = this.#axes;
    this.#axes = new Map();
    for (const axis of axes) {
      const before = known.get(axis.id);
      this.#axes.set(axis.id, before && isOlder(axis, before.axis) ? before : { axis, heardAtMs });
    }
  }

  /** The log has begun anew: versions of the old one mean nothing. */
  forget() {
    this.#axes.clear();
  }

  /** @param {string} why */
  failed(why) {
    this.#why = why;
  }

  /** Ms by which the picture of this axis is older than it says itself.
   * @param {string} id */
  sinceHeardMs(id) {
    const known = this.#axes.get(id);
    return known ? performance.now() - known.heardAtMs : 0;
  }

  /** @param {string} id */
  axis(id) {
    return this.#axes.get(id)?.axis;
  }

  get all() {
    return [...this.#axes.values()].map(({ axis }) => axis);
  }

  /** Null while news comes; else why not and for how long, ms; `never` before the first news. */
  get blind() {
    const sinceMs = performance.now() - this.#heardAtMs;
    if (sinceMs <= BLIND_AFTER_MS || (sinceMs === Number.POSITIVE_INFINITY && this.#why === "")) return null;
    return {
      why: this.#why || "The box does not answer.",
      sinceMs: sinceMs === Number.POSITIVE_INFINITY ? null : sinceMs,
    };
  }

  #heard() {
    this.#heardAtMs = performance.now();
    this.#why = "";
  }
}

/**
 * @param {AxisView} axis
 * @param {AxisView} known
 */
function isOlder(axis, known) {
  if (axis.version !== known.version) return axis.version < known.version;
  const behindMs = Date.parse(known.measured.at ?? "") - Date.parse(axis.measured.at ?? "");
  return behindMs > 0 && behindMs < RACE_MS;
}
