import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { LogError, type NewEvent } from "../event-log.ts";
import { openEventLog } from "../open-event-log.ts";

/**
 * A writer under load in a process of its own, to be killed or to meet a failing disk. Says on stdout, one line each, with
 * synchronous writes so that nothing said is lost with the process: `open <epoch>`, `ack <position> <id>`, `error <code>`.
 * Ends with 70 when the log is poisoned, as the controller does.
 */
const [directory = "", inFlight = "32"] = process.argv.slice(2);
const say = (line: string) => writeSync(1, `${line}\n`);

const log = await openEventLog({
  directory,
  clock: systemClock(),
  random: systemRandom(),
  box: "press_1",
  reserveBytes: 0,
});
say(`open ${log.epoch}`);

async function keepAppending(axis: number): Promise<void> {
  for (let n = 0; ; n++) {
    const id = randomUUID();
    const event = (more: Partial<NewEvent>): NewEvent => ({
      stream: `axis-a${axis}`,
      event: { type: "AxisWentOffline", data: { reason: "x".repeat(n % 400) } },
      ...more,
    });
    try {
      const recorded = await log.append([event({ id, commandId: id }), event({ commandId: id })]);
      say(`ack ${recorded[0]?.position} ${id}`);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      say(`error ${error.code}`);
      if (error.code === "log-poisoned") {
        // The poisoned log must not write any more, whoever asks.
        const again = await log.append([event({})]).catch((refusal: LogError) => refusal.code);
        say(`again ${typeof again === "string" ? again : "written"}`);
        process.exit(70);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
await Promise.all(Array.from({ length: Number(inFlight) }, (_, axis) => keepAppending(axis)));
