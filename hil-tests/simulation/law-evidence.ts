import type { RecordedEvent } from "@servofleet/contracts";
import type { MotionBook } from "./motion-book.ts";
import type { SimHistory } from "./sim-history.ts";
import type { SimWitness } from "./sim-witness.ts";
import type { ToldCommand } from "./told-command.ts";

/** What the laws judge: the log, what the drives recorded, what clients were told, what the bridges heard. */
export interface Evidence {
  readonly log: readonly RecordedEvent[];
  readonly commands: readonly ToldCommand[];
  readonly book: MotionBook;
  readonly history: SimHistory;
  readonly witness: SimWitness;
  /** The command that a client's key names. */
  readonly idOf: (principalAndKey: string) => string;
}

/** A law of the house that a run has broken. */
export interface Broken {
  readonly law: string;
  readonly how: string;
}
