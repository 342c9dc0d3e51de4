/** Figures of runs that were made in turns. */
export interface Interleaved {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** A B A B ...: what slows the machine down for a while slows both. `run` is told its number, from 0. */
export async function interleaved(
  runs: number,
  a: (run: number) => Promise<number>,
  b: (run: number) => Promise<number>,
): Promise<Interleaved> {
  const figures = { a: [] as number[], b: [] as number[] };
  for (let run = 0; run < runs; run++) {
    figures.a.push(await a(run));
    figures.b.push(await b(run));
  }
  return figures;
}
