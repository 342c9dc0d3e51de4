import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compiledProgram } from "../line/compiled-program.ts";
import { LineError } from "../line/line-error.ts";
import type { ReadingFigures, ReadingPlan } from "./line-masters.ts";

const SOURCE = fileURLToPath(new URL("../line/libmodbus-master.c", import.meta.url));
const RUN_LIMIT_MS = 120_000;

/** The same reads by a C program with libmodbus; null where libmodbus-dev or a compiler is missing. */
export async function libmodbusRate(plan: ReadingPlan, core: string): Promise<ReadingFigures | null> {
  const program = await compiledProgram(SOURCE, ["modbus"]).catch((error: unknown) => {
    if (error instanceof LineError) return null;
    throw error;
  });
  if (program === null) return null;
  const words = [plan.path, plan.baud, plan.units, plan.registers, plan.count, core].map(String);
  const { stdout } = await promisify(execFile)(program, words, { timeout: RUN_LIMIT_MS });
  const { perS, failed } = JSON.parse(stdout) as { perS: number; failed: number };
  return { perS, failed, wrong: 0 };
}
