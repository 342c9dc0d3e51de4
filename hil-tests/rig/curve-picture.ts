import { escapedHtml } from "./html-text.ts";
import { type PlotScale, plotScale } from "./plot-scale.ts";
import type { Curve, CurvePoint, ScenarioResult, StepResult } from "./rig-result.ts";

const WIDTH = 720;
const LEFT = 62;
const RIGHT = 14;
const HEAD = 18;
const FOOT = 20;
const GAP = 16;
/** Samples further apart than this are not joined: nobody knows what happened between them. */
export const HOLE_US = 1_000_000;
/** Numbers of steps closer than this would print over each other, pixels. */
const LABEL_APART = 13;
const TICK_APART = 30;
const MIN_TICKS = 3;

interface Panel {
  readonly name: string;
  readonly unit: string;
  readonly height: number;
  /** A standing axis is drawn flat when everything stays within this. */
  readonly roomMin: number;
  readonly value: (point: CurvePoint) => number | null;
}

const panelsOf = (unit: string): readonly Panel[] => [
  { name: "position", unit, height: 132, roomMin: 1, value: ({ position }) => position },
  { name: "velocity", unit: `${unit}/s`, height: 68, roomMin: 1, value: ({ velocity }) => velocity },
  { name: "following error", unit, height: 56, roomMin: 0.05, value: ({ followingError }) => followingError },
];

const readBy = ({ points }: Curve, { value }: Panel): boolean =>
  points.filter((point) => value(point) !== null).length >= 2;

/** Whether there is anything to draw of the axis. */
export const hasCurve = (curve: Curve): boolean => panelsOf(curve.unitName).some((panel) => readBy(curve, panel));

/** Position with its targets, velocity and following error of one axis over the scenario, as one SVG. */
export function curvePicture(curve: Curve, result: ScenarioResult): string {
  const all = panelsOf(curve.unitName);
  const panels = all.filter((panel) => readBy(curve, panel));
  const unread = all.filter((panel) => !panels.includes(panel)).map(({ name }) => name);
  const height = HEAD + FOOT + panels.reduce((sum, panel) => sum + panel.height, 0) + GAP * (panels.length - 1);
  const bottom = height - FOOT;
  const fromUs = Math.min(result.fromUs, curve.points[0]?.atUs ?? result.fromUs);
  const seconds = (atUs: number) => (atUs - fromUs) / 1e6;
  const time = plotScale(0, Math.max(seconds(result.toUs), 0.1), LEFT, WIDTH - RIGHT, 8);
  const x = (atUs: number) => Math.min(Math.max(time.at(seconds(atUs)), LEFT), WIDTH - RIGHT);
  const within = { ...curve, points: curve.points.filter(({ atUs }) => atUs <= result.toUs) };
  let top = HEAD;
  const boxes: string[] = [];
  const drawn = panels.map((panel) => {
    const svg = panelSvg(panel, within, x, top);
    boxes.push(`<rect class="panel" x="${LEFT}" y="${top}" width="${WIDTH - LEFT - RIGHT}" height="${panel.height}"/>`);
    top += panel.height + GAP;
    return svg;
  });
  const ticks = time.ticks.map(
    (tick) => `<text x="${px(time.at(tick))}" y="${height - 5}" text-anchor="middle">${tick} s</text>`,
  );
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapedHtml(`${curve.axis}: ${panels.map(({ name }) => name).join(", ")} over ${seconds(result.toUs).toFixed(1)} s`)}">`,
    ...boxes,
    ...stepMarks(result.steps, x, bottom),
    ...drawn,
    ...ticks,
    "</svg>",
    unread.length > 0 ? `<p class="quiet unread">${unread.join(" and ")}: not read from this drive</p>` : "",
  ].join("\n");
}

function panelSvg(panel: Panel, curve: Curve, x: (atUs: number) => number, top: number): string {
  const points = curve.points.flatMap((point) => {
    const value = panel.value(point);
    return value === null ? [] : [{ atUs: point.atUs, value }];
  });
  const targets = panel.name === "position" ? curve.targets : [];
  const title = `<text class="name" x="${LEFT + 6}" y="${top + 12}">${panel.name}, ${escapedHtml(panel.unit)}</text>`;
  const scale = scaleOf([...points.map(({ value }) => value), ...targets.map(({ position }) => position)], panel, top);
  return [
    "<g>",
    ...grid(scale),
    ...targets.map(
      ({ fromUs, toUs, position }) =>
        `<line class="target" x1="${px(x(fromUs))}" x2="${px(x(toUs))}" y1="${px(scale.at(position))}" y2="${px(scale.at(position))}"/>`,
    ),
    `<path class="curve" d="${pathOf(points, x, scale)}"/>`,
    `${title}</g>`,
  ].join("");
}

function scaleOf(values: readonly number[], panel: Panel, top: number): PlotScale {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = (high - low) * 0.08;
  const wanted = Math.max(MIN_TICKS, Math.round(panel.height / TICK_APART));
  return plotScale(low - margin, high + margin, top + panel.height, top, wanted, panel.roomMin);
}

const grid = (scale: PlotScale): readonly string[] =>
  scale.ticks.flatMap((tick) => {
    const y = px(scale.at(tick));
    return [
      `<line class="${tick === 0 ? "zero" : "grid"}" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`,
      `<text x="${LEFT - 6}" y="${px(scale.at(tick) + 4)}" text-anchor="end">${tick}</text>`,
    ];
  });

function pathOf(
  points: readonly { readonly atUs: number; readonly value: number }[],
  x: (atUs: number) => number,
  scale: PlotScale,
): string {
  return points
    .map(({ atUs, value }, n) => {
      const before = points[n - 1];
      const joined = before !== undefined && atUs - before.atUs <= HOLE_US;
      return `${joined ? "L" : "M"}${px(x(atUs))} ${px(scale.at(value))}`;
    })
    .join("");
}

/** Where each step began, by its number in the list beside the picture; the failed one stands out. */
function stepMarks(steps: readonly StepResult[], x: (atUs: number) => number, bottom: number): readonly string[] {
  const failure = steps.find(({ outcome }) => outcome === "failed");
  const failedAt = failure ? x(failure.fromUs) : Number.POSITIVE_INFINITY;
  let labelled = -LABEL_APART;
  return steps.flatMap(({ fromUs, outcome }, n) => {
    if (outcome === "not-run" || n === 0) return [];
    const at = x(fromUs);
    const failed = outcome === "failed";
    const shows = failed || (at - labelled >= LABEL_APART && failedAt - at >= LABEL_APART);
    if (shows) labelled = at;
    const line = `<line class="${failed ? "failed" : "step"}" x1="${px(at)}" x2="${px(at)}" y1="${HEAD - 4}" y2="${bottom}"/>`;
    const label = `<text class="${failed ? "failed-label" : ""}" x="${px(at)}" y="${HEAD - 7}" text-anchor="middle">${n}</text>`;
    return shows ? [line, label] : [line];
  });
}

const px = (value: number): string => String(Math.round(value * 10) / 10);
