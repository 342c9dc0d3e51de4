/** Missing reports are waited for this long (the bridge repeats them by our beats); then the gap is taken as it is. */
export const GAP_LIMIT_MS = 1000;
/** Then even a report that is not the oldest of the gap's far side is taken. */
export const GAP_PATIENCE_MS = 3 * GAP_LIMIT_MS;

export type Arrival = "next" | "known" | "gap" | "jump";

/** Numbers of the reports of one bridge boot: which is next, which were heard, which are on disk. Pure. */
export class ReportSequence {
  readonly bridgeBoot: string;
  /** Newest report that was decided. */
  #heard = 0;
  /** Newest report that is on disk with all before it. */
  #recorded = 0;
  #gapSinceMs: number | null = null;
  /** Oldest report seen beyond the gap: the one to go on with. */
  #beyond = Number.POSITIVE_INFINITY;

  constructor(bridgeBoot: string) {
    this.bridgeBoot = bridgeBoot;
  }

  get recorded(): number {
    return this.#recorded;
  }

  /** `jump`: the reports before it will not come any more (the bridge keeps only so many). */
  arrive(seq: number, nowMs: number): Arrival {
    if (seq <= this.#heard) return "known";
    const next = seq === this.#heard + 1;
    if (!next && this.#waits(seq, nowMs)) return "gap";
    this.#gapSinceMs = null;
    this.#beyond = Number.POSITIVE_INFINITY;
    this.#heard = seq;
    return next ? "next" : "jump";
  }

  #waits(seq: number, nowMs: number): boolean {
    this.#gapSinceMs ??= nowMs;
    this.#beyond = Math.min(this.#beyond, seq);
    const waitedMs = nowMs - this.#gapSinceMs;
    return waitedMs < (seq === this.#beyond ? GAP_LIMIT_MS : GAP_PATIENCE_MS);
  }

  /** It and all before it are on disk: records settle in the order in which they were decided. */
  onDisk(seq: number): void {
    this.#recorded = Math.max(this.#recorded, seq);
  }

  /** Everything that is not on disk has been taken back and has to be repeated. */
  takeBack(): void {
    this.#heard = this.#recorded;
  }
}
