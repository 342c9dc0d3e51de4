import type { LiveMessage } from "@servofleet/contracts";

/** One reading in display units, as it is stored. */
export type TelemetrySample = Omit<Extract<LiveMessage, { type: "sample" }>, "type">;

/** Its name in the data directory. */
export const TELEMETRY_FILE = "telemetry.db";
export const TELEMETRY_FORMAT = 1;

/** What a row of `chunks` holds: samples as they came, roll-ups, or the samples around a fault. */
export const LEVELS = { raw: 0, second: 1, minute: 2, blackBox: 3 } as const;
export type Level = (typeof LEVELS)[keyof typeof LEVELS];
export const SECOND_US = 1_000_000;
export const MINUTE_US = 60 * SECOND_US;
/** No row spans more time than this: so a look-up by the beginning of rows finds all that reach into a range. */
export const CHUNK_SPAN_MAX_US = 2 * MINUTE_US;

/** The tables of the telemetry file. */
export const TELEMETRY_TABLES = `
CREATE TABLE IF NOT EXISTS telemetry_meta(only INTEGER PRIMARY KEY CHECK(only = 1), format INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO telemetry_meta VALUES (1, ${TELEMETRY_FORMAT});
CREATE TABLE IF NOT EXISTS telemetry_state(
  only         INTEGER PRIMARY KEY CHECK(only = 1),
  budget_bytes INTEGER NOT NULL,
  lost         INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS chunks(
  id      INTEGER PRIMARY KEY,
  axis    TEXT NOT NULL,
  level   INTEGER NOT NULL,
  from_us INTEGER NOT NULL,
  to_us   INTEGER NOT NULL,
  count   INTEGER NOT NULL,
  body    BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS chunks_time ON chunks(axis, level, from_us);
CREATE INDEX IF NOT EXISTS chunks_age ON chunks(level, to_us);`;
