import { systemClock } from "@servofleet/runtime/system-clock";
import { startBox } from "../box/running-box.ts";
import { killInMidMove, withWatchdog } from "./mid-move-kills.ts";
import { runRetryStorm } from "./retry-storm.ts";
import { runTrialCommand } from "./trial-options.ts";

/** Each axis is classified within this of the new bridge's first word, ms. */
const CLASSIFIED_MAX_MS = 3000;
const STORM_KILLS = ["controller", "gateway", "bridge", "controller"] as const;

/** `npm run trial:kills [-- --kills N --retries N --clients N]`: real processes, real lines, SIGKILL. */
await runTrialCommand({
  name: "trial:kills",
  options: { kills: 20, retries: 10_000, clients: 20 },
  async run({ kills, retries, clients }, result) {
    const box = await startBox({ links: withWatchdog });
    let found = 0;
    try {
      const storm = { axis: "x1", clients, retries, kills: STORM_KILLS, position: 123.4, key: "one command" };
      const outcome = await runRetryStorm(box, systemClock(), storm);
      result({ trial: "retries", ...outcome });
      found += outcome.broken.length;
      for (let n = 0; n < kills; n++) {
        const killed = await killInMidMove(box, n % 2 === 0 ? "controller" : "bridge");
        result({ trial: "mid-move", n: n + 1, ...killed });
        found += killed.broken.length + Number(!(killed.classifiedMs <= CLASSIFIED_MAX_MS));
      }
    } finally {
      await box.stop();
    }
    return found;
  },
});
