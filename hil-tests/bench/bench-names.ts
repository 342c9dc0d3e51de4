import { acceptedToWire } from "./accepted-to-wire.ts";
import { append } from "./append.ts";
import type { Bench } from "./bench-context.ts";
import { busEfficiency } from "./bus-efficiency.ts";
import { coldStart } from "./cold-start.ts";
import { diskWrites } from "./disk-writes.ts";
import { eventToVisible } from "./event-to-visible.ts";
import { query } from "./query.ts";
import { rebuild } from "./rebuild.ts";
import { silentUnit } from "./silent-unit.ts";
import { stopOnLine } from "./stop-on-line.ts";
import { stopToWire } from "./stop-to-wire.ts";
import { transactionsRtu, transactionsTcp } from "./transactions.ts";
import { memory, values100k } from "./values-100k.ts";
import { writeUnderReads } from "./write-under-reads.ts";

/** Every name that can be measured, in the order they run. A name, once used, keeps its meaning. */
export const BENCHES: Readonly<Record<string, Bench>> = {
  append,
  "transactions-rtu": transactionsRtu,
  "transactions-tcp": transactionsTcp,
  "bus-efficiency": busEfficiency,
  "silent-unit": silentUnit,
  "stop-on-line": stopOnLine,
  query,
  "event-to-visible": eventToVisible,
  "write-under-reads": writeUnderReads,
  "accepted-to-wire": acceptedToWire,
  "stop-to-wire": stopToWire,
  "values-100k": values100k,
  memory,
  rebuild,
  "cold-start": coldStart,
  "disk-writes": diskWrites,
};
