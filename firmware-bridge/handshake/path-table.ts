import type { OrderAction } from "@servofleet/contracts";
import { never } from "@servofleet/runtime/assert";
import type { DriveProfile, Values } from "../profile/drive-profile.ts";
import { MotionUnits } from "../profile/motion-units.ts";
import type { Drive, Performed } from "./drive.ts";
import type { DriveFacts } from "./drive-facts.ts";
import { type DriveTalk, HandshakeError, type WriteWeight } from "./drive-talk.ts";
import { verifyIdentity } from "./identity.ts";
import { pathTableFacts, triggerPhase } from "./path-table-status.ts";
import { homingWrite, movePath, PATH_INTERRUPTS, type PathWrite, velocityPath } from "./path-table-writes.ts";
import { parameterValue, writeParameter } from "./write-parameter.ts";

/** Words of 0x6002 and of its relatives (iCL-RS manual, PR control; auxiliary control 0x1801). */
const QUICK_STOP = 0x040;
const RESET_ALARM = 0x1111;
const RUNNING = 1 << 2;

const GOING: Performed = { finished: false };
const FINISHED: Performed = { finished: true };

/** Leadshine's PR path table (iCL-RS manual): path 0 with immediate trigger, quick stop by 0x6002 = 0x040. */
export class PathTableDrive implements Drive {
  readonly profile: DriveProfile;
  readonly needsAttach = false;
  #units: MotionUnits;
  /** 0x6017 as a person set it up, and as it is now: a halt writes its own deceleration there for a while. */
  #ownStopRamp: number | null = null;
  #stopRampNow: number | null = null;
  /** 0x601D as last read since the last trigger: the next command clears it. */
  #warning = 0;

  constructor(profile: DriveProfile) {
    this.profile = profile;
    this.#units = new MotionUnits(profile.data.motion, null);
  }

  async attach(talk: DriveTalk): Promise<void> {
    await verifyIdentity(this.profile, talk);
    const source = this.profile.data.countsPerRevolution?.register ?? null;
    const counts = source === null ? null : ((await talk.read(source)).get(source) ?? null);
    this.#units = new MotionUnits(this.profile.data.motion, counts);
    const ramp = (await talk.read("quickStopRamp")).get("quickStopRamp") ?? null;
    // What a halt of ours left there is not the person's setting, unless the drive forgot it.
    if (this.#ownStopRamp === null || ramp !== this.#stopRampNow) this.#ownStopRamp = ramp;
    this.#stopRampNow = ramp;
  }

  facts(values: Values): DriveFacts {
    this.#warning = values.get("warning") ?? this.#warning;
    const merged = new Map([...values, ["warning", this.#warning] as const]);
    return pathTableFacts(merged, this.#units, this.profile.data.quirks.stopReadbackSticks === true);
  }

  cannot(action: OrderAction): string | null {
    const outcome = this.#plan(action);
    return outcome !== null && "trouble" in outcome ? outcome.trouble : null;
  }

  async perform(action: OrderAction, talk: DriveTalk, facts: DriveFacts, acknowledged: () => void): Promise<Performed> {
    switch (action.kind) {
      case "enable":
        return this.#single(talk, "enable", 1, acknowledged);
      case "disable":
        if (await this.#isMoving(talk)) await this.#stopFirst(talk, null);
        return this.#single(talk, "enable", 0, acknowledged);
      case "reset-fault":
        if (facts.fault === false) return this.#nothingToDo(acknowledged);
        return this.#single(talk, "reset", RESET_ALARM, acknowledged);
      case "halt":
        await this.#writeStop(talk, action.deceleration, "decisive");
        acknowledged();
        return GOING;
      case "write-parameter":
        await writeParameter(this.profile, action, talk, acknowledged);
        if (action.parameter === "quickStopRamp") this.#ownStopRamp = this.#stopRampNow = null;
        if (action.parameter === "quickStopRamp") await this.attach(talk);
        return FINISHED;
      case "home":
      case "move-absolute":
      case "move-velocity":
        return this.#move(action, talk, acknowledged);
      default:
        return never(action);
    }
  }

  async stop(talk: DriveTalk): Promise<void> {
    await talk.write([["trigger", QUICK_STOP]], "decisive");
    if (this.#ownStopRamp === null || this.#stopRampNow === this.#ownStopRamp) return;
    // A halt had left a gentler ramp: the stop is already on its way, now it gets the drive's own ramp.
    await this.#setStopRamp(talk, this.#ownStopRamp, "after");
    await talk.write([["trigger", QUICK_STOP]], "after");
  }

  async #move(
    action: Extract<OrderAction, { kind: "home" | "move-absolute" | "move-velocity" }>,
    talk: DriveTalk,
    acknowledged: () => void,
  ): Promise<Performed> {
    const plan = this.#plan(action);
    if (plan === null || "trouble" in plan)
      throw new HandshakeError("unsupported", { ...action }, plan?.trouble ?? "not a motion");
    const takesOver = this.#takesOver && action.kind !== "home";
    if (!takesOver && (await this.#isMoving(talk))) {
      await this.#stopFirst(talk, "deceleration" in action ? action.deceleration : action.acceleration);
    }
    if (this.#ownStopRamp !== null && this.#stopRampNow !== this.#ownStopRamp) {
      await this.#setStopRamp(talk, this.#ownStopRamp, "prepare");
    }
    if (plan.prepare.length > 0) await talk.write(plan.prepare, "prepare");
    this.#warning = 0;
    await talk.write(plan.decisive, "decisive");
    acknowledged();
    return GOING;
  }

  get #takesOver(): boolean {
    const { insBit } = this.profile.data.quirks;
    return insBit === "interrupts" || insBit === "clear-takes-over";
  }

  #plan(action: OrderAction): PathWrite | null {
    const modeBits = this.profile.data.quirks.insBit === "interrupts" ? PATH_INTERRUPTS : 0;
    switch (action.kind) {
      case "move-absolute":
        return movePath(action, this.#units, modeBits);
      case "move-velocity":
        return velocityPath(action, this.#units, modeBits);
      case "home":
        return homingWrite(action, this.#units, this.profile.data);
      case "write-parameter": {
        const value = parameterValue(this.profile, action);
        return "trouble" in value ? value : null;
      }
      default:
        return null;
    }
  }

  /** Unknown INS behaviour (iCL-RS manual against a field measurement): never rely on a takeover. */
  async #stopFirst(talk: DriveTalk, deceleration: number | null): Promise<void> {
    await this.#writeStop(talk, deceleration, "interrupts");
    const { standstillMs } = this.profile.data.timeouts;
    await talk.waitFor(["status"], standstillMs, "standstill before the new command", (values) => !isRunning(values));
  }

  async #writeStop(talk: DriveTalk, deceleration: number | null, weight: WriteWeight): Promise<void> {
    const ramp = deceleration === null ? this.#ownStopRamp : this.#rampFor(deceleration);
    if (ramp !== null && ramp !== this.#stopRampNow) await this.#setStopRamp(talk, ramp, "prepare");
    await talk.write([["trigger", QUICK_STOP]], weight);
  }

  #rampFor(deceleration: number): number | null {
    const ramp = this.#units.ramp(deceleration);
    // A deceleration too gentle for the drive must not keep a halt back: the drive's own ramp then.
    return "raw" in ramp ? ramp.raw : this.#ownStopRamp;
  }

  async #setStopRamp(talk: DriveTalk, raw: number, weight: WriteWeight): Promise<void> {
    this.#stopRampNow = null;
    await talk.write([["quickStopRamp", raw]], weight);
    this.#stopRampNow = raw;
  }

  async #isMoving(talk: DriveTalk): Promise<boolean> {
    if (isRunning(await talk.read("status"))) return true;
    const phase = triggerPhase((await talk.read("trigger")).get("trigger") ?? 0);
    return phase === "not-taken" || phase === "running";
  }

  async #single(talk: DriveTalk, name: string, raw: number, acknowledged: () => void): Promise<Performed> {
    await talk.write([[name, raw]], "decisive");
    acknowledged();
    return GOING;
  }

  #nothingToDo(acknowledged: () => void): Performed {
    acknowledged();
    return FINISHED;
  }
}

const isRunning = (values: Values): boolean => ((values.get("status") ?? 0) & RUNNING) !== 0;
