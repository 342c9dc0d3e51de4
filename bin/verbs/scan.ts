import type { LinkConfig } from "@servofleet/contracts";
import { tcpWire } from "@servofleet/firmware-bridge/link/tcp-wire";
import type { Wire } from "@servofleet/firmware-bridge/link/wire";
import { fleetFragment } from "@servofleet/firmware-bridge/scan/fleet-fragment";
import { type FoundUnit, scanLine } from "@servofleet/firmware-bridge/scan/scan-line";
import {
  defaultUnits,
  type LineSetting,
  scanPlan,
  settingWords,
  unitTrouble,
} from "@servofleet/firmware-bridge/scan/scan-plan";
import { serialWire } from "@servofleet/firmware-bridge/serial/serial-wire";
import type { Clock } from "@servofleet/runtime/clock";
import { systemClock } from "@servofleet/runtime/system-clock";
import { DONE, FAILED, UsageError } from "../exit.ts";
import { type Output, table } from "./output.ts";
import { readScanFile, type ScanFile } from "./scan-file.ts";
import { guardBox } from "./scan-guard.ts";
import { scanShow, unitWords } from "./scan-progress.ts";

/** What `scan` was asked. */
export interface ScanOptions {
  readonly config: string;
  readonly link: string;
  /** `1-32` or `1,3,7-9`. */
  readonly units?: string;
  readonly everySpeed?: boolean;
}

/** `scan --link ID`: who answers, at which setting, what it is, and the part of fleet.yaml that says so. Only reads. */
export async function scan(options: ScanOptions, out: Output, signal: AbortSignal): Promise<number> {
  const file = readScanFile(options.config, options.link, process.env);
  const units = options.units === undefined ? defaultUnits(file.link.kind) : parseUnits(options.units, file.link.kind);
  const lock = await guardBox(file.data, file.link.id);
  try {
    const plan = scanPlan(file.link, { units, everySpeed: options.everySpeed === true });
    const found = await run(file, plan, out, signal);
    const fragment = fleetFragment(file.link, found, file.profiles, file.fileOf);
    const document = {
      link: file.link.id,
      kind: file.link.kind,
      complete: !signal.aborted,
      tried: plan.settings,
      units,
      found,
      fragment,
    };
    out.show(document, () => report(document));
    return found.length > 0 && !signal.aborted ? DONE : FAILED;
  } finally {
    await lock?.release();
  }
}

async function run(
  file: ScanFile,
  plan: ReturnType<typeof scanPlan>,
  out: Output,
  signal: AbortSignal,
): Promise<readonly FoundUnit[]> {
  const clock = systemClock();
  const show = scanShow(out, process.stderr, process.stderr.isTTY === true && !out.json);
  try {
    return await scanLine({
      link: file.link,
      plan,
      profiles: file.profiles,
      clock,
      openWire: (setting) => wireOf(file.link, setting, clock),
      onProgress: (progress) => show.progress(progress),
      onFound: (found) => show.found(found),
      signal,
    });
  } finally {
    show.end();
  }
}

function wireOf(link: LinkConfig, setting: LineSetting | null, clock: Clock): Wire {
  if ("host" in link) return tcpWire(link, clock);
  const own = link.kind === "modbus-rtu" ? link : ({ baud: link.baud, parity: "none", stopBits: 1 } as const);
  return serialWire({ port: link.port, ...(setting ?? own) });
}

/** @throws UsageError */
export function parseUnits(text: string, kind: LinkConfig["kind"]): readonly number[] {
  const units = text.split(",").flatMap((part) => {
    const [from, to = from] = part.split("-").map(Number);
    const wrong = from === undefined || to === undefined || !/^\d+(-\d+)?$/.test(part.trim()) || from > to || to > 255;
    if (wrong) throw new UsageError(`--units ${text} cannot be read`, { units: text }, "write it as 1-32 or 1,3,7-9");
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
  const trouble = units.map((unit) => unitTrouble(kind, unit)).find((words) => words !== null);
  if (trouble) throw new UsageError(trouble, { units: text }, "ask for units that a drive can have");
  return [...new Set(units)];
}

interface Report {
  readonly link: string;
  readonly complete: boolean;
  readonly tried: readonly (LineSetting | null)[];
  readonly units: readonly number[];
  readonly found: readonly FoundUnit[];
  readonly fragment: string;
}

function report({ link, complete, tried, units, found, fragment }: Report): string {
  const asked = `${units.length} unit${units.length === 1 ? "" : "s"} asked at ${
    tried
      .map(settingWords)
      .filter((words) => words !== "-")
      .join(", ") || "its address"
  }`;
  const ended = complete ? "" : " (interrupted)";
  if (found.length === 0)
    return `${link}: nobody answers, ${asked}${ended}\nCheck power, wiring and termination; ask for other units with --units 1-247; other speeds with --every-speed (docs/api.md says when not to).`;
  const rows = found.map((one) => [String(one.unit), settingWords(one.setting), unitWords(one)]);
  return `${link}: ${found.length} answer, ${asked}${ended}\n\n${table(["UNIT", "SETTING", "IS"], rows)}\n\nFor fleet.yaml:\n\n${fragment}`;
}
