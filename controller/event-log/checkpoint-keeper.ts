import type { Clock, Timer } from "@servofleet/runtime/clock";
import { checkpointText } from "@servofleet/runtime/log-signature";
import { type SqliteConnection, SqliteError } from "@servofleet/runtime/sqlite";
import type { LogSigner } from "./log-key.ts";
import type { LogHead } from "./seal-events.ts";

/** How often the chain is signed; whichever comes first. Nothing is signed while nothing was written. */
export interface CheckpointCadence {
  readonly events: number;
  readonly ms: number;
}
export const CHECKPOINT_CADENCE: CheckpointCadence = { events: 10_000, ms: 600_000 };

const INSERT = `INSERT INTO log_checkpoints(serial, log_id, position, hash, epoch, wall_us, key_id, signature)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE (SELECT writer_epoch FROM log_meta) = ?5`;
const NEWEST = "SELECT serial, position FROM log_checkpoints ORDER BY serial DESC LIMIT 1";

export interface CheckpointParts {
  readonly writer: SqliteConnection;
  readonly clock: Clock;
  readonly signer: LogSigner;
  readonly logId: string;
  readonly epoch: number;
  readonly cadence: CheckpointCadence;
  /** Where the log ends on disk. */
  readonly head: () => LogHead;
  /** The log must not be written any more. */
  readonly halted: () => boolean;
  /** The disk failed under a checkpoint. */
  readonly onFailure: (error: unknown) => void;
}

/** Signs the end of the chain now and then, so that whoever rewrites the log must also own the key. */
export class CheckpointKeeper {
  readonly #parts: CheckpointParts;
  readonly #timer: Timer;
  #serial: number;
  #signed: number;
  #dueMs: number;
  #signing: Promise<void> | undefined;

  private constructor(parts: CheckpointParts, newest: { serial: number; position: number }) {
    this.#parts = parts;
    this.#serial = newest.serial;
    this.#signed = newest.position;
    this.#dueMs = parts.clock.monotonicMs() + parts.cadence.ms;
    this.#timer = parts.clock.every(parts.cadence.ms, () => void this.sign().catch(parts.onFailure));
  }

  /** Signs what the former process left unsigned. Rejects with SqliteError. */
  static async start(parts: CheckpointParts): Promise<CheckpointKeeper> {
    const newest = await parts.writer.get<{ serial: number; position: number }>(NEWEST);
    const keeper = new CheckpointKeeper(parts, newest ?? { serial: 0, position: 0 });
    await keeper.sign();
    return keeper;
  }

  /** Called after every commit. Rejects with SqliteError. */
  async afterCommit(): Promise<void> {
    const { cadence, clock, head } = this.#parts;
    if (head().position - this.#signed >= cadence.events || clock.monotonicMs() >= this.#dueMs) await this.sign();
  }

  /** Signs the head as it is now. A full disk is no failure here: the next commit will tell. */
  sign(): Promise<void> {
    this.#signing ??= this.#sign()
      .catch((error: unknown) => {
        if (!(error instanceof SqliteError) || (error.code !== "SQLITE_FULL" && error.code !== "SQLITE_BUSY"))
          throw error;
      })
      .finally(() => {
        this.#signing = undefined;
      });
    return this.#signing;
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#signing;
  }

  async #sign(): Promise<void> {
    const { writer, clock, signer, logId, epoch, cadence, head, halted } = this.#parts;
    if (halted()) return;
    this.#dueMs = clock.monotonicMs() + cadence.ms;
    const { position, hash } = head();
    if (position === this.#signed) return;
    const { keyId } = signer;
    const checkpoint = { serial: this.#serial + 1, logId, position, hash, epoch, wallUs: clock.wallUs(), keyId };
    const signature = signer.sign(checkpointText(checkpoint));
    await writer.run(INSERT, [checkpoint.serial, logId, position, hash, epoch, checkpoint.wallUs, keyId, signature]);
    this.#serial = checkpoint.serial;
    this.#signed = position;
  }
}
