import type { RtuLinkConfig } from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { expect, test } from "vitest";
import { lineCost } from "../../firmware-bridge/link/bus-cost.ts";
import { Line } from "../../firmware-bridge/link/line.ts";
import { RtuFramer } from "../../firmware-bridge/modbus/rtu-framer.ts";
import { serialWire } from "../../firmware-bridge/serial/serial-wire.ts";
import { runFaultsTrial, TRIAL_WIRES } from "./faults-trial.ts";

/** The long form is `npm run trial:faults`. */
const TRANSACTIONS = 150;
const CONTROLS_MAX = 8;

test.each(TRIAL_WIRES)(
  "on a real %s that loses, spoils, doubles and delays frames no value is wrong and no write happens twice",
  async (wire) => {
    const result = await runFaultsTrial(wire, { clock: systemClock(), seed: 3, transactions: TRANSACTIONS });
    expect(result).toMatchObject({ wrongValues: 0, appliedTwice: 0, toldWrong: 0 });
    expect(result.answered).toBeGreaterThan(TRANSACTIONS / 2);
    expect(result.unanswered).toBeGreaterThan(0);
  },
);

test("an engine that takes late answers for new ones is found out", async () => {
  // On a busy machine an answer meant to be late may be no later than the next question: then once more.
  let wrongValues = 0;
  for (let seed = 3; wrongValues === 0 && seed < 3 + CONTROLS_MAX; seed++) {
    const result = await runFaultsTrial("pty", {
      clock: systemClock(),
      seed,
      transactions: TRANSACTIONS,
      faults: { loss: 0, flips: 0, duplicates: 0, late: 0.3 },
      makeLink: (config, parts) =>
        new Line(config, lineCost(config), {
          ...parts,
          wire: serialWire(config as RtuLinkConfig),
          framer: new RtuFramer(),
          // As if answers told themselves whose they are: then nothing is kept in quarantine.
          repliesHaveIds: true,
        }),
    });
    wrongValues += result.wrongValues;
  }
  expect(wrongValues).toBeGreaterThan(0);
});
