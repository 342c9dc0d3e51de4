import { randomUUID } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LogError, type NewEvent } from "@servofleet/controller/event-log/event-log";
import { openEventLog } from "@servofleet/controller/event-log/open-event-log";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { SAID_FILE } from "./disk-trace.ts";
import type { LogLife } from "./log-life-plan.ts";
import { weakenedWriter } from "./weakened-writer.ts";

/**
 * One life of the log's writer in a process of its own: opens the log, appends, says what it asked for (`ask <id>`), what
 * was acknowledged (`ack <position> <id>`) and refused (`no <code> <id>`), and ends as its plan says. What is said is
 * written without a buffer, so that its place among the writes to the disk is the true one.
 */
const life: LogLife = JSON.parse(process.argv[2] ?? "");
const said = openSync(join(life.directory, SAID_FILE), "a");
const say = (line: string): void => void writeSync(said, `${line}\n`);
/** Housekeeping after the last commit is over by then; the recorder's own check would show it if not. */
const QUIET_MS = 150;
const US_PER_DAY = 86_400e6;
const POISONED_EXIT_CODE = 70;

const real = systemClock();
const clock: Clock = { ...real, wallUs: () => real.wallUs() + life.daysAhead * US_PER_DAY };
const log = await openEventLog({
  directory: life.directory,
  clock,
  random: systemRandom(),
  box: "press_1",
  reserveBytes: 0,
  cadence: { events: life.signEvery, ms: 600_000 },
  retention: { keepDays: 30, keepEvents: 1_000_000, archiveEvents: life.archiveEvents },
  openWriter: weakenedWriter(life.weakness),
});
say(`open ${log.epoch}`);

let left = life.calls;
async function appendAll(caller: number): Promise<void> {
  while (left-- > 0) {
    const id = randomUUID();
    const event = (more: Partial<NewEvent>): NewEvent => ({
      stream: `axis-a${caller}`,
      event: { type: "AxisWentOffline", data: { reason: "x".repeat(left % life.bytes) } },
      commandId: id,
      ...more,
    });
    say(`ask ${id}`);
    try {
      const recorded = await log.append([event({ id }), event({})]);
      say(`ack ${recorded[0]?.position} ${id}`);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      say(`no ${error.code} ${id}`);
    }
  }
}
await Promise.all([
  ...Array.from({ length: life.inFlight }, (_, caller) => appendAll(caller)),
  ...(life.archiveEvents < 1_000 ? [log.archive()] : []),
]);
if (log.trouble === "log-poisoned") process.exit(POISONED_EXIT_CODE);
await sleep(clock, QUIET_MS);
if (life.end === "kill") process.kill(process.pid, "SIGKILL");
await log.close();
