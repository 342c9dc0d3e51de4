import { systemClock } from "@servofleet/runtime/system-clock";
import { runPast } from "./past-trial.ts";
import { runTrialCommand } from "./trial-options.ts";

/** `npm run trial:past [-- --events N --questions N]`: needs about 1 KiB of disk per event, in the system's temporary directory. */
await runTrialCommand({
  name: "trial:past",
  options: { events: 1_000_000, questions: 50 },
  async run({ events, questions }, result) {
    const say = (text: string) => void process.stderr.write(`${text}\n`);
    const outcome = await runPast({ events, questions, clock: systemClock(), say });
    result(outcome);
    return outcome.wrong;
  },
});
