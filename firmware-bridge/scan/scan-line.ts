import type { LinkConfig } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { Wire } from "../link/wire.ts";
import type { DriveProfile } from "../profile/drive-profile.ts";
import type { DeviceIdentification } from "./device-identification.ts";
import { identifyUnit, type ProfileMatch, speaks } from "./identify-unit.ts";
import { ScanError } from "./scan-error.ts";
import { type LineSetting, type ScanPlan, settingWords } from "./scan-plan.ts";
import { ScanSession } from "./scan-session.ts";
import { type ScanTalk, scanTalk } from "./scan-talk.ts";

/** One unit that answered. */
export interface FoundUnit {
  readonly unit: number;
  readonly setting: LineSetting | null;
  /** Profiles that fit, the most telling first; empty when none does. */
  readonly matches: readonly ProfileMatch[];
  /** Model number of a servo. */
  readonly model: number | null;
  readonly device: DeviceIdentification | null;
}

/** How far a scan is. */
export interface ScanProgress {
  readonly setting: LineSetting | null;
  readonly unit: number;
  /** Questions of presence, all settings together. */
  readonly asked: number;
  readonly total: number;
}

export interface ScanParts {
  readonly link: LinkConfig;
  readonly plan: ScanPlan;
  readonly profiles: readonly DriveProfile[];
  readonly clock: Clock;
  readonly openWire: (setting: LineSetting | null) => Wire;
  readonly onProgress: (progress: ScanProgress) => void;
  readonly onFound: (found: FoundUnit) => void;
  /** Ends the scan between two questions; what was found so far is the result. */
  readonly signal: AbortSignal;
}

/** A line that is in use is heard before it is spoken to. */
const LISTEN_MS = 300;

/**
 * Asks every unit of the plan whether it is there and what it is. It only reads, one question at a time, and begins with
 * listening: a line that somebody else talks on is left alone.
 * @throws ScanError
 */
export async function scanLine(parts: ScanParts): Promise<readonly FoundUnit[]> {
  const { link, plan } = parts;
  const profiles = parts.profiles.filter((profile) => speaks(profile, link.kind));
  const found: FoundUnit[] = [];
  for (const [index, setting] of plan.settings.entries()) {
    if (parts.signal.aborted) break;
    const session = await ScanSession.open(parts.openWire(setting), parts.clock, link.id, plan.pauseMs(setting));
    try {
      if (index === 0) await refuseTraffic(session, link, setting);
      const talk = scanTalk(link.kind, session, plan.waitMs(setting));
      for (const [n, unit] of plan.units.entries()) {
        if (parts.signal.aborted) break;
        const asked = index * plan.units.length + n;
        parts.onProgress({ setting, unit, asked, total: plan.settings.length * plan.units.length });
        const answer = await look(talk, unit, setting, profiles);
        if (answer) found.push(answer);
        if (answer) parts.onFound(answer);
      }
    } finally {
      await session.close();
    }
  }
  return found;
}

async function look(
  talk: ScanTalk,
  unit: number,
  setting: LineSetting | null,
  profiles: readonly DriveProfile[],
): Promise<FoundUnit | null> {
  const here = await talk.ping(unit);
  if (!here) return null;
  const matches = await identifyUnit(talk, unit, profiles);
  return { unit, setting, matches, model: here.model, device: await talk.identification(unit) };
}

async function refuseTraffic(session: ScanSession, link: LinkConfig, setting: LineSetting | null): Promise<void> {
  const bytes = await session.listen(LISTEN_MS);
  if (bytes === 0) return;
  const what = `${link.id} is in use: ${bytes} bytes came unasked within ${LISTEN_MS} ms; nothing was sent`;
  const hint = "another master talks on this line: end it first, then scan";
  throw new ScanError("line-talks", what, { link: link.id, bytes, setting: settingWords(setting) }, hint);
}
