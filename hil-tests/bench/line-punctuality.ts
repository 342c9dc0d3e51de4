import type { LineFigures } from "../line/paced-line.ts";

/** Largest share of a transaction that the line itself may be late; beyond it a run says nothing. */
const LINE_ERROR_SHARE = 0.02;

export interface Punctuality {
  /** How late the line handed its chunks over, microseconds. */
  readonly lineErrorUs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly isVoid: boolean;
}

/** Whether a run on the paced line counts, whose transactions take `transactionUs`. Pure. */
export const punctuality = (seen: LineFigures, transactionUs: number): Punctuality => ({
  lineErrorUs: { p50: seen.errorP50Us, p99: seen.errorP99Us, max: seen.errorMaxUs },
  isVoid: seen.errorP99Us > LINE_ERROR_SHARE * transactionUs,
});
