import { HandshakeError } from "../handshake/drive-talk.ts";
import { LinkError } from "../link/link.ts";
import type { AxisParts } from "./axis-parts.ts";
import { DriveSession, SessionEnded } from "./drive-session.ts";
import type { OrderRun } from "./order-run.ts";

/** What a halt of the bridge's own comes to. */
export interface HaltEvents {
  /** The drive has confirmed it. */
  readonly halted: () => void;
  /** It is not confirmed: a halt that is not confirmed is no halt. */
  readonly lost: () => void;
}

/** Halts a motion on the bridge's own decision, by the motion's ramp. A newer stop or the motion's end makes it needless. */
export async function haltMotion(
  parts: AxisParts,
  run: OrderRun,
  deceleration: number,
  events: HaltEvents,
): Promise<void> {
  const { link, config, drive, clock, log } = parts;
  const generation = parts.guard().stopGeneration;
  const session = new DriveSession(link, config.unit, drive.profile, clock, {
    class: "command",
    readClass: "confirm",
    barred: () => (parts.guard().stopGeneration === generation && run.open ? undefined : "overtaken"),
    onFrames: (frames) => run.book.add(frames),
  });
  try {
    await drive.perform({ kind: "halt", deceleration }, session, parts.facts(), events.halted);
  } catch (error) {
    if (error instanceof SessionEnded) return;
    if (!(error instanceof LinkError || error instanceof HandshakeError)) throw error;
    log.warn({ axis: config.id, error: String(error) }, "a halt of the bridge's own was not confirmed: stop");
    events.lost();
  }
}
