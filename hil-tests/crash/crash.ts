import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { systemClock } from "@servofleet/runtime/system-clock";
import { failedSyncTrial } from "./failed-sync-trial.ts";
import { killsGood, killTrial } from "./kill-trial.ts";
import type { Workload } from "./log-life-plan.ts";
import { type PowerCutOutcome, powerCutTrial } from "./power-cut-trial.ts";
import { scratchPlace } from "./scratch-place.ts";

const EXIT_FOUND = 1;
const EXIT_WRONG_USAGE = 2;
const IMAGES_DEFAULT = 5000;
/** The log is recorded anew after so many images, so that not all are cut from the same lives. */
const IMAGES_A_RECORD = 5000;
/** Most images are of small files, as those are quick; the large ones have the rare moments. */
const SHARES: readonly (readonly [Workload, number])[] = [
  ["young", 0.8],
  ["busy", 0.1],
  ["sealing", 0.1],
];
const CONTROL_IMAGES = 50;
const KILLS_DEFAULT = 100;
const CONTROL_KILLS = 3;
const SYNCS_DEFAULT = 40;
const SYNCS_A_RECORD = 10;
const SYNC_IMAGES = 300;

const failed = (outcome: PowerCutOutcome): boolean =>
  outcome.imagesWithLoss + outcome.imagesWithWrong + outcome.imagesWithFlaw > 0;
const print = (result: object): void => void process.stdout.write(`${JSON.stringify(result)}\n`);

/** One JSON object per recording, then the control, which must lose. True when all is as it must be. */
async function cutPower(images: number, seed: number): Promise<boolean> {
  const scratch = scratchPlace();
  let good = true;
  for (let done = 0; done < images; done += IMAGES_A_RECORD)
    for (const [workload, share] of SHARES) {
      const part = Math.ceil(Math.min(IMAGES_A_RECORD, images - done) * share);
      const plan = { workload, weakness: "none", images: part, seed: seed + done, scratch } as const;
      const outcome = await powerCutTrial(plan);
      print({ trial: "power-cut", seed: plan.seed, ok: !failed(outcome), ...outcome });
      good &&= !failed(outcome);
    }
  const weakness = "synchronous-normal";
  const control = await powerCutTrial({ workload: "young", weakness, images: CONTROL_IMAGES, seed, scratch });
  print({ trial: "power-cut-control", seed, ok: control.imagesWithLoss > 0, ...control });
  return good && control.imagesWithLoss > 0;
}

/** One JSON object for all kills, and one for each control, which must find what is wrong. */
async function killControllers(kills: number, seed: number): Promise<boolean> {
  const scratch = tmpdir();
  const outcome = await killTrial({ kills, seed, scratch });
  const good = killsGood(outcome);
  print({ trial: "kill", seed, ok: good, ...outcome });
  const early = await killTrial({ kills: CONTROL_KILLS, seed, scratch, weakness: "acknowledges-early" });
  print({ trial: "kill-control-lost", seed, ok: early.lost > 0, ...early });
  const twice = await killTrial({ kills: 1, seed, scratch, doubles: true });
  print({ trial: "kill-control-twice", seed, ok: twice.sentTwice > 0, ...twice });
  return good && early.lost > 0 && twice.sentTwice > 0;
}

/** The n-th sync of a life fails, for n up to `syncs`; then the control, which goes on as if nothing had been. */
async function failSyncs(syncs: number, seed: number): Promise<boolean> {
  const scratch = scratchPlace();
  let good = true;
  for (let first = 1; first <= syncs; first += SYNCS_A_RECORD) {
    const part = Array.from({ length: Math.min(SYNCS_A_RECORD, syncs - first + 1) }, (_, n) => first + n);
    const plan = { syncs: part, weakness: "none", images: SYNC_IMAGES, seed: seed + first, scratch } as const;
    const outcome = await failedSyncTrial(plan);
    const ok = outcome.ackedAfter === 0 && !failed(outcome);
    print({ trial: "failed-sync", seed: plan.seed, ok, firstSync: first, ...outcome });
    good &&= ok;
  }
  const control = { syncs: [9], weakness: "swallows-io-errors", images: SYNC_IMAGES, seed, scratch } as const;
  const outcome = await failedSyncTrial(control);
  const ok = outcome.ackedAfter > 0 && outcome.imagesWithLoss > 0;
  print({ trial: "failed-sync-control", seed, ok, ...outcome });
  return good && ok;
}

/** `npm run crash [-- --images N] [--kills N] [--syncs N] [--seed S]`: exit 1 when anything was lost, or when the control lost nothing. */
async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      images: { type: "string", default: String(IMAGES_DEFAULT) },
      kills: { type: "string", default: String(KILLS_DEFAULT) },
      syncs: { type: "string", default: String(SYNCS_DEFAULT) },
      seed: { type: "string", default: String(systemClock().wallUs() % 2 ** 31) },
    },
  });
  const numbers = [values.images, values.kills, values.syncs, values.seed].map(Number);
  const [images = 0, kills = 0, syncs = 0, seed = 0] = numbers;
  if (!numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) {
    process.stderr.write("npm run crash -- [--images N] [--kills N] [--syncs N] [--seed S]\n");
    return EXIT_WRONG_USAGE;
  }
  const cut = images === 0 || (await cutPower(images, seed));
  const killed = kills === 0 || (await killControllers(kills, seed));
  const failing = syncs === 0 || (await failSyncs(syncs, seed));
  return cut && killed && failing ? 0 : EXIT_FOUND;
}

process.exitCode = await main(process.argv.slice(2));
