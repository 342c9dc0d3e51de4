import { Exchange, type ExchangeParts } from "./exchange.ts";
import type { Lane } from "./line-lanes.ts";
import { LineTurn, type LineTurnParts } from "./line-turn.ts";

/** What a lane shares with its line, and what is its own: framer and codec. */
export type LaneParts = Omit<LineTurnParts, "exchange" | "bareReplies"> &
  Pick<ExchangeParts, "framer" | "codec" | "ring">;

/** One place for a request on the way, made of an exchange and the turns on it. */
export function newLane({ framer, codec, ring, ...parts }: LaneParts): Lane {
  const { clock, cost, tally, book, guarded, restart } = parts;
  const isLate = (unit: number) => !guarded || book.page(unit).ghosts.length > 0;
  const lateOf = (units: readonly number[]) => units.filter(isLate).length;
  const exchange = new Exchange({ clock, framer, codec, cost, ring, tally, lateOf, onBroken: restart });
  return { exchange, turn: new LineTurn({ ...parts, exchange, bareReplies: codec.bareReplies }) };
}
