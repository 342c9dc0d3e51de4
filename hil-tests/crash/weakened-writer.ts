import { sleep } from "@servofleet/runtime/clock";
import { type SqliteConnection, SqliteDatabase, SqliteError, type SqliteValue } from "@servofleet/runtime/sqlite";
import { systemClock } from "@servofleet/runtime/system-clock";
import type { Weakness } from "./log-life-plan.ts";

type OpenWriter = (file: string) => Promise<SqliteConnection>;

/** Opens the writer's connection with a weakness that ours must not have. "none" is ours. */
export function weakenedWriter(weakness: Weakness): OpenWriter {
  if (weakness === "none") return (file) => SqliteDatabase.open(file);
  return async (file) => weakened(await SqliteDatabase.open(file), weakness);
}

const SWALLOWED: Partial<Record<Weakness, readonly string[]>> = {
  "swallows-io-errors": ["SQLITE_IOERR"],
  "swallows-full-disk": ["SQLITE_FULL"],
};

/** An early acknowledgement runs ahead of its write by so much at least. */
const EARLY_MS = 20;

function weakened(real: SqliteConnection, weakness: Weakness): SqliteConnection {
  let weak = weakness !== "synchronous-normal";
  let late: Promise<unknown> = Promise.resolve();
  /** The opener asserts its pragmas, so they are weakened behind its back. */
  const weaken = async (): Promise<void> => {
    if (weak) return;
    weak = true;
    await real.all("PRAGMA synchronous = NORMAL");
  };
  return {
    run: async (sql, params = []) => {
      if (!sql.includes("INSERT INTO events")) return real.run(sql, params);
      await weaken();
      if (weakness === "acknowledges-early") {
        late = late.then(() => sleep(systemClock(), EARLY_MS)).then(() => real.run(sql, params));
        return asIfWritten(params);
      }
      return real.run(sql, params).catch((error: unknown) => {
        if (!(error instanceof SqliteError) || !SWALLOWED[weakness]?.includes(error.code)) throw error;
        return asIfWritten(params);
      });
    },
    all: (sql, params) => real.all(sql, params),
    get: (sql, params) => real.get(sql, params),
    exec: (sql) => real.exec(sql),
    batch: (statements) => real.batch(statements),
    close: () => real.close(),
  };
}

/** The answer that SQLite would have given. */
function asIfWritten(params: readonly SqliteValue[]): { changes: number; lastId: number } {
  const rows = JSON.parse(String(params[0])) as readonly (readonly [position: number])[];
  return { changes: rows.length, lastId: rows.at(-1)?.[0] ?? 0 };
}
