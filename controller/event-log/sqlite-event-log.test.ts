import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventLogContract } from "./event-log.contract.ts";
import type { EventLog } from "./event-log.ts";
import { openEventLog } from "./open-event-log.ts";

let directory = "";
const opened: EventLog[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "event-log-"));
});
afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
  await rm(directory, { recursive: true, force: true });
});

const clock = systemClock();
const random = systemRandom();

async function open(): Promise<EventLog> {
  const log = await openEventLog({ directory, clock, random, box: "press_1" });
  opened.push(log);
  return log;
}

describe("the SQLite log obeys the laws of EventLog:", () => eventLogContract(open));

test.each([
  [0x6969, "NFS"],
  [-11317950, "CIFS"],
])("a data directory on a network disk is refused (%i, %s)", async (type, kind) => {
  const wish = { directory, clock, random, box: "press_1", fileSystem: async () => type };
  await expect(openEventLog(wish)).rejects.toMatchObject({ code: "log-unfit", facts: { kind } });
  // Nothing was kept from the one that comes with a fit disk.
  expect((await open()).position).toBe(0);
});
