import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { type BenchBox, startBenchBox } from "./bench-box.ts";
import type { BenchContext } from "./bench-context.ts";
import { BENCHES } from "./bench-names.ts";
import { benchLine } from "./bench-result.ts";
import { machineFacts } from "./machine.ts";

const EXIT_FAILED = 1;
const EXIT_WRONG_USAGE = 2;

/** Figures go to stdout, one JSON object per line; everything else to stderr. */
const say = (text: string) => void process.stderr.write(`${text}\n`);
const USAGE = `usage: npm run bench -- [NAME...] [--quick]\nnames: ${Object.keys(BENCHES).join(" ")}`;

function wanted(args: readonly string[]): { names: readonly string[]; quick: boolean } | undefined {
  try {
    const options = { quick: { type: "boolean", default: false } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const unknown = positionals.filter((name) => !Object.hasOwn(BENCHES, name));
    if (unknown.length > 0) say(`unknown: ${unknown.join(" ")}`);
    else return { names: positionals.length > 0 ? positionals : Object.keys(BENCHES), quick: values.quick };
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
  return undefined;
}

/** Measures the names one after the other; a failed one does not keep the others from being measured. */
async function run(names: readonly string[], quick: boolean): Promise<number> {
  const clock = systemClock();
  const directory = mkdtempSync(join(tmpdir(), "bench-"));
  let box: Promise<BenchBox> | undefined;
  const context: BenchContext = {
    quick,
    clock,
    random: systemRandom(),
    directory,
    say,
    box: () => {
      box ??= startBenchBox({ clock, say });
      return box;
    },
  };
  let failed = false;
  const clear = async () => {
    await box?.then(
      (running) => running.stop(),
      () => undefined,
    );
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("SIGINT", () => {
    say("interrupted: ending what was started ...");
    void clear().finally(() => process.exit(EXIT_FAILED));
  });
  try {
    for (const name of names) {
      say(`${name} ...`);
      const startedMs = clock.monotonicMs();
      try {
        const measured = await BENCHES[name]?.(context);
        if (measured) process.stdout.write(`${benchLine(name, measured, machineFacts())}\n`);
        say(`${name}: ${Math.round((clock.monotonicMs() - startedMs) / 100) / 10} s`);
      } catch (error) {
        failed = true;
        say(`${name}: not measured: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } finally {
    await clear();
  }
  return failed ? EXIT_FAILED : 0;
}

const asked = wanted(process.argv.slice(2));
if (asked) {
  process.exitCode = await run(asked.names, asked.quick);
} else {
  say(USAGE);
  process.exitCode = EXIT_WRONG_USAGE;
}
