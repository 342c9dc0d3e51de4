import type { Logger } from "pino";

/** A fault of the message bus is for the log: control reacts to beats alone. */
export const busFault =
  (logger: Logger) =>
  (what: string, error: unknown): void =>
    logger.warn({ error: error instanceof Error ? error.message : String(error) }, what);
