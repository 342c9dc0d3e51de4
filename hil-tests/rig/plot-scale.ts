/** Maps a stretch of values to pixels, with round numbers to write at it. */
export interface PlotScale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

const STEPS = [1, 2, 2.5, 5, 10];

/**
 * A scale over `low` to `high` on the pixels `from` to `to` with about `wanted` round ticks. A flat stretch gets room around
 * it, so that a standing axis is a line in the middle and not a quarrel about the last digit.
 */
export function plotScale(low: number, high: number, from: number, to: number, wanted: number, roomMin = 0): PlotScale {
  const room = Math.max(roomMin, Math.abs(high) * 1e-6, 1e-9);
  const flat = high - low < room;
  const bottom = flat ? (low + high - room) / 2 : low;
  const top = flat ? (low + high + room) / 2 : high;
  const step = roundStep((top - bottom) / wanted);
  const ticks: number[] = [];
  for (let n = Math.ceil(bottom / step); n * step <= top + step * 1e-9; n++) ticks.push(clean(n * step));
  return { ticks, at: (value) => from + ((value - bottom) / (top - bottom)) * (to - from) };
}

/** The smallest of 1, 2, 2.5, 5 times a power of ten that is no smaller than asked. */
export function roundStep(asked: number): number {
  const power = 10 ** Math.floor(Math.log10(asked));
  return (STEPS.find((step) => step * power >= asked * 0.999999) ?? 10) * power;
}

const clean = (value: number): number => Number(value.toPrecision(12));
