import type { LogLineage } from "@servofleet/runtime/log-schema";
import { checkpointText, isSignedBy, type LogCheckpoint, type PublicKeys } from "@servofleet/runtime/log-signature";
import { type LogFlaw, logFlaw } from "./log-flaw.ts";

/** The signed statements about a log, held against it while it is walked. Pure. */
export class CheckpointCheck {
  readonly #checkpoints: readonly LogCheckpoint[];
  readonly #lineage: readonly LogLineage[];
  readonly #keys: PublicKeys;
  readonly #kept: "in the log" | "elsewhere";
  #at = 0;
  #signedThrough = 0;

  /** `checkpoints` in the order of their serial numbers. Of those that somebody kept elsewhere, some may be missing. */
  constructor(
    checkpoints: readonly LogCheckpoint[],
    lineage: readonly LogLineage[],
    keys: PublicKeys,
    kept: "in the log" | "elsewhere" = "in the log",
  ) {
    this.#kept = kept;
    this.#checkpoints = checkpoints;
    this.#lineage = lineage;
    this.#keys = keys;
  }

  /** Highest position up to which the log is what was signed, as far as it was walked. */
  get signedThrough(): number {
    return this.#signedThrough;
  }

  /** Called with every row in order; gives the flaw of a checkpoint at this position. */
  see(position: number, hash: string): LogFlaw | null {
    for (let due = this.#checkpoints[this.#at]; due && due.position <= position; due = this.#checkpoints[this.#at]) {
      const flaw = this.#flawOf(due, position, hash);
      if (flaw) return flaw;
      this.#signedThrough = due.position;
      this.#at += 1;
    }
    return null;
  }

  /** Called at the end of the log. */
  end(position: number): LogFlaw | null {
    const due = this.#checkpoints[this.#at];
    if (!due) return null;
    const unsigned = this.#proofFlaw(due);
    if (unsigned) return unsigned;
    return logFlaw(
      "truncated",
      position + 1,
      `checkpoint ${due.serial} was signed at position ${due.position}`,
      due.position,
    );
  }

  #flawOf(due: LogCheckpoint, position: number, hash: string): LogFlaw | null {
    const unsigned = this.#proofFlaw(due);
    if (unsigned) return unsigned;
    if (due.position === position && due.hash === hash) return null;
    return logFlaw(
      "rewritten",
      this.#signedThrough + 1,
      `the chain fits, but it is not the one that checkpoint ${due.serial} signed at position ${due.position}`,
      due.position,
    );
  }

  #proofFlaw(due: LogCheckpoint): LogFlaw | null {
    const from = this.#signedThrough + 1;
    const before = this.#checkpoints[this.#at - 1];
    if (this.#kept === "in the log" && due.serial !== (before?.serial ?? 0) + 1)
      return logFlaw("forged", from, `checkpoint ${(before?.serial ?? 0) + 1} is missing`, due.position);
    if (!this.#keys.has(due.keyId))
      return logFlaw(
        "forged",
        from,
        `checkpoint ${due.serial} is signed by the unknown key ${due.keyId}`,
        due.position,
      );
    if (!isSignedBy(this.#keys, due.keyId, checkpointText(due), due.signature))
      return logFlaw("forged", from, `the signature of checkpoint ${due.serial} does not fit`, due.position);
    if (!this.#lineage.some(({ logId, afterPosition }) => logId === due.logId && afterPosition <= due.position))
      return logFlaw("forged", from, `checkpoint ${due.serial} is of the log ${due.logId}`, due.position);
    return null;
  }
}
