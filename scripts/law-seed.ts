// Before each test file: the laws (generated cases) run with a seed that is known, so that a gate that passed once passes
// again. What chance alone finds is looked for with `npm run laws`, which gives each round a seed of its own.

import fc from "fast-check";

const USUAL_SEED = 1;

const asked = process.env["SERVOFLEET_LAW_SEED"];
const seed = asked === undefined ? USUAL_SEED : Number(asked);
if (!Number.isInteger(seed)) throw new Error(`SERVOFLEET_LAW_SEED is "${asked}": give a whole number`);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
