import { parseArgs } from "node:util";
import { systemClock } from "@servofleet/runtime/system-clock";
import { FUZZ_TARGETS } from "./fuzz-targets.ts";
import { fuzz, replayCommand } from "./run-fuzz.ts";

const EXIT_FOUND = 1;
const EXIT_WRONG_USAGE = 2;
const FRAMES_DEFAULT = 100_000;

/** `npm run fuzz [-- --frames N] [--seed N] [--parser NAME] [--from N]`: one JSON object per parser on stdout. */
function main(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      frames: { type: "string", default: String(FRAMES_DEFAULT) },
      seed: { type: "string", default: String(Math.floor(systemClock().wallUs()) % 2 ** 31) },
      parser: { type: "string" },
      from: { type: "string", default: "0" },
    },
  });
  const [frames, seed, from] = [Number(values.frames), Number(values.seed), Number(values.from)];
  const targets = FUZZ_TARGETS.filter(({ name }) => values.parser === undefined || name === values.parser);
  if (![frames, seed, from].every(Number.isSafeInteger) || frames < 1 || targets.length === 0) {
    process.stderr.write(`parsers: ${FUZZ_TARGETS.map(({ name }) => name).join(" ")}\n`);
    return EXIT_WRONG_USAGE;
  }
  let found = 0;
  for (const target of targets) {
    const startedMs = systemClock().monotonicMs();
    const outcome = fuzz(target, seed, frames === 1 ? 1 : Math.ceil(frames * target.share), from);
    const seconds = Math.round(systemClock().monotonicMs() - startedMs) / 1000;
    process.stdout.write(`${JSON.stringify({ ...outcome, seconds })}\n`);
    if (!outcome.failure) continue;
    found += 1;
    process.stderr.write(
      `${outcome.parser}: ${outcome.failure.kind}: ${outcome.failure.what}\n  ${replayCommand(outcome)}\n`,
    );
  }
  return found > 0 ? EXIT_FOUND : 0;
}

process.exitCode = main(process.argv.slice(2));
