import { createHash } from "node:crypto";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";

const PAGE_ROWS = 1000;
const ROWS = "SELECT key, json FROM rows WHERE key > ? ORDER BY key LIMIT ?";

interface RowText {
  readonly key: string;
  readonly json: string;
}

/** A projection's file as another process reads it: one moment of it, whatever its owner writes meanwhile. */
export class StoredTable {
  readonly #db: SqliteDatabase;
  /** Log position of that moment; 0 for a file that holds nothing yet. */
  readonly position: number;

  private constructor(db: SqliteDatabase, position: number) {
    this.#db = db;
    this.position = position;
  }

  /** Rejects with SqliteError. Close it soon: the file's WAL grows as long as it is open. */
  static async open(file: string): Promise<StoredTable> {
    const db = await SqliteDatabase.open(file, { readOnly: true });
    try {
      await db.exec("BEGIN");
      const found = await db.get<{ position: number }>("SELECT position FROM checkpoint");
      return new StoredTable(db, found?.position ?? 0);
    } catch (cause) {
      await db.close();
      throw cause;
    }
  }

  /** Every row in order of key, as its stored text. */
  async *rows(): AsyncGenerator<RowText> {
    let after = "";
    for (;;) {
      const page = await this.#db.all<RowText>(ROWS, [after, PAGE_ROWS]);
      yield* page;
      const last = page.at(-1);
      if (!last || page.length < PAGE_ROWS) return;
      after = last.key;
    }
  }

  async close(): Promise<void> {
    await this.#db.exec("ROLLBACK");
    await this.#db.close();
  }
}

/** What two tables of the same position have in common. */
export interface TableComparison {
  readonly rows: number;
  /** SHA-256 over key and stored text of every row of the first one, in order of key. */
  readonly checksum: string;
  readonly otherChecksum: string;
  /** Keys of rows that only one has, or that differ. */
  readonly differing: number;
  readonly firstDifference: string | null;
}

/** Reads both to the end, side by side. */
export async function compareTables(one: StoredTable, other: StoredTable): Promise<TableComparison> {
  const [a, b] = [hashed(one.rows()), hashed(other.rows())];
  let [left, right] = [await a.next(), await b.next()];
  let [rows, differing, firstDifference] = [0, 0, null as string | null];
  while (left || right) {
    const key = !left || (right && right.key < left.key) ? (right as RowText).key : left.key;
    const [inLeft, inRight] = [left?.key === key ? left : null, right?.key === key ? right : null];
    if (inLeft?.json !== inRight?.json) {
      differing++;
      firstDifference ??= key;
    }
    if (inLeft) {
      rows++;
      left = await a.next();
    }
    if (inRight) right = await b.next();
  }
  return { rows, checksum: a.checksum(), otherChecksum: b.checksum(), differing, firstDifference };
}

function hashed(rows: AsyncGenerator<RowText>) {
  const hash = createHash("sha256");
  return {
    async next(): Promise<RowText | null> {
      const { value, done } = await rows.next();
      if (done) return null;
      hash.update(`${value.key}\t${value.json}\n`);
      return value;
    },
    checksum: () => hash.digest("hex"),
  };
}
