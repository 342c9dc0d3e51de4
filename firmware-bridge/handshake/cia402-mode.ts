import { type Cia402Control, CONTROL } from "./cia402-control.ts";
import { MODE } from "./cia402-status.ts";
import type { DriveFacts } from "./drive-facts.ts";
import { type DriveTalk, HandshakeError } from "./drive-talk.ts";

/**
 * A mode is in force only when 6061 shows it (Danaher S200 p. 74), and some drives refuse the change in motion. Where
 * 6061 can lag behind (dryve-d1), only a mode that this bridge has set itself is believed, and a rest follows the change.
 */
export async function changeMode(
  mode: number,
  control: Cia402Control,
  talk: DriveTalk,
  facts: DriveFacts,
): Promise<void> {
  const { modePauseMs } = control.dialect;
  if (control.knownMode === mode) return;
  const { modeMs } = control.profile.data.timeouts;
  if (facts.moving !== false || facts.busy !== false) await bringToRest(control, talk);
  control.ownMode = null;
  await talk.write([["mode", mode]], "prepare");
  await talk.pause(modePauseMs);
  await talk.waitFor(["modeDisplay"], modeMs, `mode ${mode} in force`, (values) => values.get("modeDisplay") === mode);
  control.mode = mode;
  control.ownMode = mode;
  control.commanded = false;
}

async function bringToRest(control: Cia402Control, talk: DriveTalk): Promise<void> {
  const { standstillMs } = control.profile.data.timeouts;
  const still = control.profile.data.settle.stillCountsPerS;
  if (control.canHalt) await control.write(talk, CONTROL.halted, "interrupts");
  else if (control.mode === MODE.profileVelocity) await talk.write([["targetVelocity", 0]], "interrupts");
  else {
    const speed = (await talk.read("actualVelocity")).get("actualVelocity") ?? 0;
    if (Math.abs(speed) <= still) return;
    throw new HandshakeError(
      "not-ready",
      { mode: control.mode },
      "the axis moves, and whether bit 8 halts this drive is not proven: let the motion end, or stop it first",
    );
  }
  await talk.waitFor(
    ["actualVelocity"],
    standstillMs,
    "standstill before the change of mode",
    (values) => Math.abs(values.get("actualVelocity") ?? 0) <= still,
  );
}
