import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { NewEvent } from "@servofleet/controller/event-log/event-log";
import type { Clock } from "@servofleet/runtime/clock";
import { canonicalRow, LOG_TABLES } from "@servofleet/runtime/log-schema";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";

/** One commit of finished rows; ?1 is the JSON array of their columns. */
export const INSERT_ROWS = `
INSERT INTO events(position, stream, version, id, type, schema, wall_us, mono_ns, boot, epoch,
                   command_id, correlation, causation, actor, trace, data, hash)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
       value->>9, value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, unhex(value->>16)
FROM json_each(?1)`;

/** Statements that need no more than to be run: everything that can be made before is made before. */
function finishedBatches(events: readonly NewEvent[], perCommit: number): string[] {
  const versions = new Map<string, number>();
  const boot = randomUUID();
  const rows = events.map((given, at) => {
    const version = (versions.get(given.stream) ?? 0) + 1;
    versions.set(given.stream, version);
    const id = given.id ?? randomUUID();
    const row = canonicalRow({
      position: at + 1,
      stream: given.stream,
      version,
      id,
      type: given.event.type,
      schema: 1,
      wallUs: 1_795_256_100_000_000 + at,
      monoNs: String(at),
      boot,
      epoch: 1,
      commandId: given.commandId ?? null,
      correlationId: given.commandId ?? id,
      causationId: null,
      actor: given.actor ?? null,
      traceparent: null,
      data: JSON.stringify(given.event.data),
    });
    return `${row.slice(0, -1)},"${randomBytes(32).toString("hex")}"]`;
  });
  const batches: string[] = [];
  for (let from = 0; from < rows.length; from += perCommit)
    batches.push(`[${rows.slice(from, from + perCommit).join(",")}]`);
  return batches;
}

/**
 * The raw limit: one statement per commit on the log's own tables and with its own durability, the rows of a commit as
 * finished text. No ids to look up, no hashes, no callers. Returns events per second.
 */
export async function rawAppendRate(
  directory: string,
  events: readonly NewEvent[],
  perCommit: number,
  clock: Clock,
): Promise<number> {
  const batches = finishedBatches(events, perCommit);
  const database = await SqliteDatabase.open(join(directory, "raw.db"));
  try {
    await database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;`);
    await database.exec(LOG_TABLES);
    const startedMs = clock.monotonicMs();
    for (const batch of batches) await database.run(INSERT_ROWS, [batch]);
    return (events.length * 1000) / (clock.monotonicMs() - startedMs);
  } finally {
    await database.close();
  }
}
