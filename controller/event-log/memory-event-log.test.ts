import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { describe } from "vitest";
import { eventLogContract } from "./event-log.contract.ts";
import { MemoryEventLog } from "./memory-event-log.ts";

describe("the memory log obeys the laws of EventLog:", () =>
  eventLogContract(async () => new MemoryEventLog({ clock: systemClock(), random: systemRandom() })));
