import { HOLE_US } from "./curve-picture.ts";
import type { Curve } from "./rig-result.ts";

const WIDTH = 132;
const HEIGHT = 22;
const MARGIN = 2;
/** More points than pixels would show nothing more. */
const POINTS_MAX = 66;
/** A standing axis is a flat line, not its noise, units of the axis. */
const ROOM_MIN = 1;

/** The way of one axis at a glance, without scales; empty where nothing was read. */
export function curveSpark({ points }: Curve): string {
  const every = Math.max(1, Math.ceil(points.length / POINTS_MAX));
  const afterHole = points.map(({ atUs }, n) => atUs - (points[n - 1]?.atUs ?? atUs) > HOLE_US);
  const shown = points
    .map((point, n) => ({ ...point, apart: afterHole[n] === true, beforeHole: afterHole[n + 1] === true }))
    .filter(({ apart, beforeHole }, n) => apart || beforeHole || n % every === 0 || n === points.length - 1);
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined || last.atUs === first.atUs) return "";
  const places = shown.map(({ position }) => position);
  const middle = (Math.min(...places) + Math.max(...places)) / 2;
  const room = Math.max(Math.max(...places) - Math.min(...places), ROOM_MIN);
  const x = (atUs: number) => MARGIN + ((WIDTH - 2 * MARGIN) * (atUs - first.atUs)) / (last.atUs - first.atUs);
  const y = (position: number) => HEIGHT / 2 - ((HEIGHT - 2 * MARGIN) * (position - middle)) / room;
  const path = shown.map(
    ({ atUs, position, apart }, n) => `${apart || n === 0 ? "M" : "L"}${x(atUs).toFixed(1)} ${y(position).toFixed(1)}`,
  );
  return `<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true"><path class="curve" d="${path.join("")}"/></svg>`;
}
