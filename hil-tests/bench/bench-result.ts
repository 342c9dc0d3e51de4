import { median, ratiosOf, rounded, spreadOf } from "./statistics.ts";

/** What a bar asks of the ratio. */
export interface Bar {
  readonly text: string;
  readonly holds: (ratio: number) => boolean;
}
export const atLeast = (limit: number): Bar => ({ text: `>= ${limit}`, holds: (ratio) => ratio >= limit });
export const atMost = (limit: number): Bar => ({ text: `<= ${limit}`, holds: (ratio) => ratio <= limit });

/** One measured name, before it is written out. */
export interface Measurement {
  readonly value: number;
  readonly unit: string;
  readonly reference: { readonly name: string; readonly value: number };
  readonly ratio: number;
  readonly bar: string;
  readonly holds: boolean;
  readonly runs: number;
  /** Lowest and highest ratio of the runs. */
  readonly spread: readonly [number, number];
  /** Further figures that help to understand the value; printed after the fixed fields. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface RunFigures {
  readonly unit: string;
  readonly referenceName: string;
  /** One figure per run, and the reference measured beside it. */
  readonly values: readonly number[];
  readonly references: readonly number[];
  readonly bar: Bar;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Value, reference and ratio are medians over the runs. Pure. */
export function measurementOf(figures: RunFigures): Measurement {
  const { unit, values, references, referenceName, bar, more } = figures;
  const ratios = ratiosOf(values, references);
  const ratio = median(ratios);
  return {
    value: median(values),
    unit,
    reference: { name: referenceName, value: median(references) },
    ratio,
    bar: bar.text,
    holds: bar.holds(ratio),
    runs: values.length,
    spread: spreadOf(ratios),
    ...(more && { more }),
  };
}

/** The one line of a name, in the form of the API document. Pure. */
export function benchLine(name: string, measured: Measurement, machine: object): string {
  const { value, unit, reference, ratio, bar, holds, runs, spread, more } = measured;
  return JSON.stringify({
    name,
    value: rounded(value),
    unit,
    reference: { name: reference.name, value: rounded(reference.value) },
    ratio: rounded(ratio),
    bar,
    holds,
    runs,
    spread: spread.map(rounded),
    machine,
    ...more,
  });
}
