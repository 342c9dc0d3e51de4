import type { Projector } from "../read-model/projector.ts";
import { badParameter } from "./problem-reply.ts";
import { DEFAULTS, type ReadQuery } from "./query-schema.ts";

interface Listed<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

/** A page of a short list in its own order; the cursor is the last id shown. */
export function pageById<Row extends { readonly id: string }>(all: readonly Row[], query: ReadQuery): Listed<Row> {
  let from = 0;
  if (query.cursor !== undefined) {
    from = all.findIndex((row) => row.id === query.cursor) + 1;
    if (from === 0) throw badParameter("cursor", "not a cursor of this list", "start again without cursor");
  }
  const rows = all.slice(from, from + (query.limit ?? DEFAULTS.limit));
  return { rows, nextCursor: from + rows.length < all.length ? (rows.at(-1)?.id ?? null) : null };
}

interface NewestFirst<Row> {
  readonly matches: (row: Row) => boolean;
  /** The same test for rows that live on disk, by field. */
  readonly where: Readonly<Record<string, string | number>>;
}

/** A page of a long list, newest first, from memory and, where that ends, from disk; the cursor is the last rank shown. */
export async function pageByRank<Row>(
  projector: Projector<Row>,
  query: ReadQuery,
  { matches, where }: NewestFirst<Row>,
): Promise<Listed<Row>> {
  const beforeRank = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(query.cursor);
  if (!Number.isSafeInteger(beforeRank))
    throw badParameter("cursor", "not a cursor of this list", "start again without cursor");
  const limit = query.limit ?? DEFAULTS.limit;
  const { rank } = projector.projection;
  const { floorRank } = projector.rows;
  const resident = [...projector.rows.values()].filter((row) => rank(row) < beforeRank && matches(row));
  const older =
    floorRank > 0 && resident.filter((row) => rank(row) >= floorRank).length <= limit
      ? await projector.older({ beforeRank: Math.min(beforeRank, floorRank), limit: limit + 1, where })
      : [];
  const found = [...resident, ...older].sort((a, b) => rank(b) - rank(a));
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, nextCursor: found.length > limit && last ? String(rank(last)) : null };
}
