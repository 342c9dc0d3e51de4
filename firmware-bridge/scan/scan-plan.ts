import type { LinkConfig } from "@servofleet/contracts";
import { lineCost } from "../link/bus-cost.ts";

/** How a serial line is set; on TCP there is none of it. */
export interface LineSetting {
  readonly baud: number;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
}

/** Who is asked, at which settings, and how long each is waited for. */
export interface ScanPlan {
  /** One entry per setting; `null` where the link has none (TCP). The configured one comes first. */
  readonly settings: readonly (LineSetting | null)[];
  readonly units: readonly number[];
  /** Wait for an answer at a setting, ms. */
  readonly waitMs: (setting: LineSetting | null) => number;
  /** Silence after each question, ms. */
  readonly pauseMs: (setting: LineSetting | null) => number;
}

const BAUDS: Readonly<Record<"modbus-rtu" | "dynamixel" | "feetech", readonly number[]>> = {
  "modbus-rtu": [9600, 19_200, 38_400, 57_600, 115_200, 230_400],
  dynamixel: [57_600, 1_000_000, 115_200, 9600, 2_000_000, 3_000_000, 4_000_000],
  feetech: [1_000_000, 500_000, 250_000, 128_000, 115_200],
};
const PARITIES = ["none", "even", "odd"] as const;
/** Longest answer of a question: a status block of some 20 registers. */
const ANSWER_BYTES = 60;
/** Oriental drives want 5 ms of silence at 9600 and 3 ms above; others want less. */
const PAUSE_MIN_MS = 5;
const SERVO_ID_MAX = 252;
const MODBUS_UNIT_MAX = 247;
const DEFAULT_LAST_UNIT = 32;

/** Units that are asked when nobody says which: 1 to 32, on TCP also 0 and 255, on servo buses from 0. */
export function defaultUnits(kind: LinkConfig["kind"]): readonly number[] {
  const first = kind === "dynamixel" || kind === "feetech" ? 0 : 1;
  const run = Array.from({ length: DEFAULT_LAST_UNIT - first + 1 }, (_, n) => first + n);
  return kind === "modbus-tcp" ? [255, 0, ...run] : run;
}

/** Why a unit cannot be asked on a link of this kind, in words; null when it can. Broadcast addresses never are. */
export function unitTrouble(kind: LinkConfig["kind"], unit: number): string | null {
  const servo = kind === "dynamixel" || kind === "feetech";
  const [min, max] = servo ? [0, SERVO_ID_MAX] : kind === "modbus-tcp" ? [0, 255] : [1, MODBUS_UNIT_MAX];
  return Number.isInteger(unit) && unit >= min && unit <= max
    ? null
    : `${unit} is not a unit of ${kind} (${min} to ${max})`;
}

/** The plan. `everySpeed` adds the other usual speeds and parities after the configured one. */
export function scanPlan(
  link: LinkConfig,
  { units, everySpeed }: { readonly units: readonly number[]; readonly everySpeed: boolean },
): ScanPlan {
  const own = ownSetting(link);
  const settings =
    own === null || !("baud" in link) || !isSerial(link) || !everySpeed ? [own] : [own, ...others(link, own)];
  const characterMs = (setting: LineSetting | null) =>
    setting === null ? 0 : lineCost({ ...link, ...(isSerial(link) ? setting : {}) } as LinkConfig).characterUs / 1000;
  return {
    settings,
    units,
    waitMs: (setting) => link.stopWaitMaxMs + ANSWER_BYTES * characterMs(setting),
    pauseMs: (setting) => (setting === null ? 0 : Math.max(PAUSE_MIN_MS, 3.5 * characterMs(setting))),
  };
}

type SerialLink = Extract<LinkConfig, { kind: "modbus-rtu" | "dynamixel" | "feetech" }>;

const isSerial = (link: LinkConfig): link is SerialLink =>
  link.kind === "modbus-rtu" || link.kind === "dynamixel" || link.kind === "feetech";

function ownSetting(link: LinkConfig): LineSetting | null {
  if (link.kind === "modbus-rtu") return { baud: link.baud, parity: link.parity, stopBits: link.stopBits };
  return "baud" in link ? { baud: link.baud, parity: "none", stopBits: 1 } : null;
}

function others(link: SerialLink, own: LineSetting): readonly LineSetting[] {
  const parities = link.kind === "modbus-rtu" ? PARITIES : (["none"] as const);
  return BAUDS[link.kind]
    .flatMap((baud) => parities.map((parity) => ({ baud, parity, stopBits: 1 as const })))
    .filter(({ baud, parity }) => baud !== own.baud || parity !== own.parity);
}

/** `38400 8N1`, as manuals write it; `-` on TCP. */
export const settingWords = (setting: LineSetting | null): string =>
  setting === null ? "-" : `${setting.baud} 8${setting.parity.slice(0, 1).toUpperCase()}${setting.stopBits}`;
