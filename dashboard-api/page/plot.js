import { secondsTime } from "./text.js";
import uPlot from "./uPlot.esm.js";

const SECONDS = 30;
/** Newest points kept per axis: 30 s at the 20 Hz of the live stream, with room. */
const POINTS_MAX = 1200;
const HEIGHT = 190;
/** A shorter span of positions is not magnified further: a standing axis draws a line, not its noise. Share of the limits. */
const SPAN_MIN = 0.02;
const GAP_S = 2;
const QUIET = "#4a5359";

/** @typedef {{t: number[], position: (number | null)[], target: (number | null)[]}} Series */

/** Position and target of one axis over the last half minute. */
export class LivePlot {
  /** @type {HTMLElement} */
  #root;
  /** @type {uPlot | null} */
  #plot = null;
  /** @type {Map<string, Series>} */
  #series = new Map();
  /** @type {import("./fleet-picture.js").Limits | undefined} */
  #limits;
  /** Newest time of any axis: a silent one falls behind it, and the gap is seen. */
  #newestS = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(root);
  }

  /** @param {import("@servofleet/contracts").AxisView} axis */
  add({ id, measured, commanded }) {
    if (measured.at === null) return;
    const seconds = Date.parse(measured.at) / 1000;
    const series = this.#series.get(id) ?? { t: [], position: [], target: [] };
    this.#series.set(id, series);
    const before = series.t.at(-1) ?? seconds;
    if (series.t.length > 0 && seconds === before) return;
    // The box's clock was set back: what was drawn no longer has a place on this line of time.
    if (seconds < before - GAP_S) return this.#forget();
    if (seconds < before) return;
    if (seconds - before > GAP_S) push(series, before + GAP_S, null, null);
    push(series, seconds, measured.position, commanded?.position ?? null);
    this.#newestS = Math.max(this.#newestS, seconds);
  }

  /**
   * @param {string} axis
   * @param {import("./fleet-picture.js").Limits | undefined} limits
   */
  show(axis, limits) {
    this.#limits = limits;
    const series = this.#series.get(axis) ?? { t: [], position: [], target: [] };
    this.#plot ??= this.#make();
    this.#plot.setData([series.t, series.position, series.target]);
  }

  #forget() {
    this.#series.clear();
    this.#newestS = 0;
  }

  #size() {
    return { width: Math.max(260, this.#root.clientWidth), height: HEIGHT };
  }

  /** @returns {uPlot} */
  #make() {
    const grid = { stroke: "#00000014" };
    const font = "12px system-ui, sans-serif";
    return new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { range: () => [this.#newestS - SECONDS, this.#newestS] },
          y: { range: (_plot, low, high) => this.#span(low, high) },
        },
        series: [
          {},
          { stroke: "#1d2226", width: 2, points: { show: false } },
          { stroke: QUIET, width: 1.5, dash: [6, 4], points: { show: false } },
        ],
        axes: [
          { stroke: QUIET, grid, font, space: 70, values: (_plot, marks) => marks.map(secondsTime) },
          { stroke: QUIET, grid, font, size: 56 },
        ],
      },
      [[], [], []],
      this.#root,
    );
  }

  /**
   * @param {number | null} low
   * @param {number | null} high
   * @returns {[number, number]}
   */
  #span(low, high) {
    const { min, max } = this.#limits ?? { min: 0, max: 1 };
    if (low === null || high === null || low === undefined || high === undefined) return [min, max];
    const missing = Math.max(0, SPAN_MIN * (max - min) - (high - low));
    const room = missing / 2 + 0.08 * (high - low);
    return [low - room, high + room];
  }
}

/**
 * @param {Series} series
 * @param {number} seconds
 * @param {number | null} position
 * @param {number | null} target
 */
function push(series, seconds, position, target) {
  series.t.push(seconds);
  series.position.push(position);
  series.target.push(target);
  if (series.t.length > POINTS_MAX)
    for (const list of [series.t, series.position, series.target]) list.splice(0, POINTS_MAX / 4);
}
