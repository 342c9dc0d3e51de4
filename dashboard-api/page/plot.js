import uPlot from "./uPlot.esm.js";

const SECONDS = 30;
/** Newest points kept per axis: 30 s at the 20 Hz of the live stream, with room. */
const POINTS_MAX = 1200;

/** Position and target of one axis over the last half minute. */
export class LivePlot {
  /** @type {HTMLElement} */
  #root;
  /** @type {uPlot | null} */
  #plot = null;
  #unit = "";
  /** @type {Map<string, {t: number[], position: (number | null)[], target: (number | null)[]}>} */
  #series = new Map();
  #shown = "";

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(root);
  }

  /**
   * @param {string} axis
   * @param {number} seconds
   * @param {number | null} position
   * @param {number | null} target
   */
  add(axis, seconds, position, target) {
    const series = this.#series.get(axis) ?? { t: [], position: [], target: [] };
    this.#series.set(axis, series);
    if (seconds <= (series.t.at(-1) ?? 0)) return;
    series.t.push(seconds);
    series.position.push(position);
    series.target.push(target);
    if (series.t.length > POINTS_MAX)
      for (const list of [series.t, series.position, series.target]) list.splice(0, POINTS_MAX / 4);
    if (axis === this.#shown) this.#draw();
  }

  /**
   * @param {string} axis
   * @param {string} unit
   */
  show(axis, unit) {
    if (axis === this.#shown) return;
    this.#shown = axis;
    this.#unit = unit;
    this.#plot?.destroy();
    this.#plot = null;
    this.#draw();
  }

  #size() {
    return { width: Math.max(300, this.#root.clientWidth), height: 220 };
  }

  #draw() {
    const series = this.#series.get(this.#shown);
    /** @type {any} */
    const data = series ? [series.t, series.position, series.target] : [[], [], []];
    this.#plot ??= new uPlot(
      {
        ...this.#size(),
        cursor: { drag: { x: false, y: false } },
        scales: { x: { range: (_plot, _low, high) => [high - SECONDS, high] } },
        series: [
          {},
          { label: `position ${this.#unit}`, stroke: "#23282c", width: 2, points: { show: false } },
          { label: `target ${this.#unit}`, stroke: "#5b646b", width: 1, dash: [6, 4], points: { show: false } },
        ],
        axes: [
          { stroke: "#5b646b", grid: { stroke: "#00000014" } },
          { stroke: "#5b646b", grid: { stroke: "#00000014" }, size: 60 },
        ],
      },
      data,
      this.#root,
    );
    this.#plot.setData(data);
  }
}
