import { createRequire } from "node:module";
import { join } from "node:path";
import { argv } from "node:process";
import { systemClock } from "@servofleet/runtime/system-clock";
import { moveEvents } from "./append-events.ts";

/** Of the package, what is used. */
interface Emmett {
  readonly getSQLiteEventStore: (options: { fileName: string; schema: { autoMigration: "CreateOrUpdate" } }) => {
    appendToStream(stream: string, events: readonly { type: string; data: unknown }[]): Promise<unknown>;
    readonly schema: { migrate(): Promise<void> };
  };
}

const [package_ = "", directory = "", count = "0"] = argv.slice(2);
const { getSQLiteEventStore } = createRequire(import.meta.url)(package_) as Emmett;
const store = getSQLiteEventStore({
  fileName: join(directory, "emmett.db"),
  schema: { autoMigration: "CreateOrUpdate" },
});
await store.schema.migrate();
const events = moveEvents(Number(count));
const clock = systemClock();
let busy = 0;
const startedMs = clock.monotonicMs();
for (const { stream, event } of events) {
  const append = async (): Promise<unknown> =>
    store.appendToStream(stream, [{ type: event.type, data: event.data }]).catch((error: { code?: string }) => {
      // Its own statement is now and then not yet finished when it commits: whoever uses it has to ask again.
      if (error.code !== "SQLITE_BUSY") throw error;
      busy += 1;
      return append();
    });
  await append();
}
const perS = (events.length * 1000) / (clock.monotonicMs() - startedMs);
// It says its errors on stdout: ours is the last line.
console.log(`\n${JSON.stringify({ perS, busy })}`);
