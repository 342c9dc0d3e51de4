// npm run laws -- [--rounds 20] [--from 2]: runs the test files that hold laws (generated cases) once for each seed, and
// ends with the first that is broken. One JSON object per round; a broken one prints what vitest said, and its replay.

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { readSourceFiles } from "./source-file.ts";

const VITEST = "node_modules/vitest/vitest.mjs";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "20" }, from: { type: "string", default: "2" } },
});
const rounds = Number(values.rounds);
const from = Number(values.from);
if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(from))
  throw new Error("--rounds is a whole number from 1 on, --from a whole number");

const files = readSourceFiles()
  .filter(
    ({ path, imports }) => path.endsWith(".test.ts") && imports.some(({ specifier }) => specifier === "fast-check"),
  )
  .map(({ path }) => path);

for (let seed = from; seed < from + rounds; seed++) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [VITEST, "run", "--project", "rooms", ...files], {
    encoding: "utf8",
    env: { ...process.env, SERVOFLEET_LAW_SEED: `${seed}` },
  });
  console.log(JSON.stringify({ seed, files: files.length, held: status === 0 }));
  if (status === 0) continue;
  console.log(`${stdout}${stderr}\nagain: npm run laws -- --rounds 1 --from ${seed}`);
  process.exitCode = 1;
  break;
}
