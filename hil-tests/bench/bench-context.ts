import type { Clock, Random } from "@servofleet/runtime/clock";
import type { BenchBox } from "./bench-box.ts";
import type { Measurement } from "./bench-result.ts";

/** What every measurement is given. */
export interface BenchContext {
  /** The short form for CI: fewer and shorter runs. */
  readonly quick: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** A directory of its own on the data disk; removed at the end. */
  readonly directory: string;
  /** Says something on stderr. */
  say(text: string): void;
  /** A whole box of real processes, started when first asked for and shared by all names of one call. */
  box(): Promise<BenchBox>;
}

export type Bench = (context: BenchContext) => Promise<Measurement>;

/** `quick` or the full number. */
export const sized = (context: BenchContext, full: number, quick: number): number => (context.quick ? quick : full);
