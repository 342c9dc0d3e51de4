import type { OrderAction } from "@servofleet/contracts";
import { never } from "@servofleet/runtime/assert";
import type { DriveProfile, Values } from "../profile/drive-profile.ts";
import { MotionUnits } from "../profile/motion-units.ts";
import { Cia402Control, CONTROL } from "./cia402-control.ts";
import { startHoming, startMove, startVelocity } from "./cia402-motion.ts";
import { cia402Facts, cia402State, MODE } from "./cia402-status.ts";
import type { Drive, Performed } from "./drive.ts";
import type { DriveFacts } from "./drive-facts.ts";
import { type DriveTalk, HandshakeError } from "./drive-talk.ts";
import { verifyIdentity } from "./identity.ts";
import { parameterValue, writeParameter } from "./write-parameter.ts";

/** A step at standstill of so many position windows makes the bridge look whether the drive was switched off. */
const JUMP_WINDOWS = 10;

const GOING: Performed = { finished: false };
const FINISHED: Performed = { finished: true };

/** CiA 402 objects as Modbus registers (MR-JE-C manual; IEC 61800-7-201): profile position, profile velocity, homing. */
export class Cia402Drive implements Drive {
  readonly profile: DriveProfile;
  needsAttach = false;
  readonly #control: Cia402Control;
  readonly #units: MotionUnits;
  /** Homing as seen by this bridge since the last power-up it saw: the drive keeps no bit outside mode 6. */
  #homed = false;
  #homingRuns = false;
  #lastPosition: number | null = null;

  constructor(profile: DriveProfile) {
    this.profile = profile;
    this.#control = new Cia402Control(profile);
    this.#units = new MotionUnits(profile.data.motion, null);
  }

  async attach(talk: DriveTalk): Promise<void> {
    await verifyIdentity(this.profile, talk);
    const word = (await talk.read("controlword")).get("controlword") ?? 0;
    const mode = (await talk.read("modeDisplay")).get("modeDisplay") ?? 0;
    // The controlword is volatile: where it is not ours any more, the drive was switched off and on or has another master.
    if (!this.#control.adopt(word, mode)) this.#homed = false;
    this.#homingRuns = false;
    this.needsAttach = false;
  }

  facts(values: Values): DriveFacts {
    const mode = values.get("modeDisplay");
    if (mode !== undefined) this.#control.mode = mode;
    const statusword = values.get("statusword");
    const state = statusword === undefined ? "unknown" : cia402State(statusword);
    if (this.#control.enables && (state === "switch-on-disabled" || state === "not-ready-to-switch-on"))
      this.needsAttach = true;
    const { halted, commanded } = this.#control;
    const memory = { mode: this.#control.mode, homed: this.#homed, halted, commanded };
    const facts = cia402Facts(values, this.#units, memory, this.profile.data.settle.stillCountsPerS);
    this.#watchJump(facts);
    if (!this.#homingRuns || facts.homing !== "attained") return facts;
    this.#homed = true;
    return { ...facts, homed: true };
  }

  cannot(action: OrderAction): string | null {
    switch (action.kind) {
      case "move-absolute":
      case "move-velocity":
        return firstTrouble(
          this.#units.speed(action.velocity),
          this.#units.ramp(action.acceleration),
          this.#units.ramp(action.deceleration),
        );
      case "home": {
        const methods = this.profile.data.homingMethods;
        if (!(String(action.method) in methods)) {
          return `homing method ${action.method} is not one the drive has (${Object.keys(methods).join(", ")})`;
        }
        if (action.offsetCounts === 0 || this.profile.has("homeOffset")) return null;
        return "an offset at the home switch needs register homeOffset, which the profile only infers; set homing.offset to 0, or switch it on in your own copy of the profile";
      }
      case "write-parameter": {
        const value = parameterValue(this.profile, action);
        return "trouble" in value ? value.trouble : null;
      }
      default:
        return null;
    }
  }

  async perform(action: OrderAction, talk: DriveTalk, facts: DriveFacts, acknowledged: () => void): Promise<Performed> {
    const trouble = this.cannot(action);
    if (trouble !== null) throw new HandshakeError("unsupported", { ...action }, trouble);
    switch (action.kind) {
      case "enable":
        return (await this.#control.enable(talk, acknowledged)) ? GOING : FINISHED;
      case "disable":
        await this.#control.disable(talk, acknowledged);
        return GOING;
      case "reset-fault":
        return (await this.#control.resetFault(talk, acknowledged)) ? GOING : FINISHED;
      case "halt":
        return (await this.#halt(talk, action.deceleration, acknowledged)) ? GOING : FINISHED;
      case "write-parameter":
        await writeParameter(this.profile, action, talk, acknowledged);
        return FINISHED;
      case "move-absolute":
        await startMove(action, this.#control, this.#units, talk, facts, acknowledged);
        return GOING;
      case "move-velocity":
        await startVelocity(action, this.#control, this.#units, talk, facts, acknowledged);
        return GOING;
      case "home":
        await startHoming(action, this.#control, this.#units, talk, facts, () => this.#homingStarts(acknowledged));
        return GOING;
      default:
        return never(action);
    }
  }

  async stop(talk: DriveTalk): Promise<void> {
    this.#homingRuns = false;
    await this.#control.write(talk, CONTROL.quickStop, "decisive");
  }

  /** A place that changes at standstill by more than a shaft is turned in between: the counter has started anew. */
  #watchJump({ positionCounts, moving }: DriveFacts): void {
    const window = this.profile.data.settle.positionWindowCounts;
    const jumped =
      positionCounts !== null &&
      Math.abs(positionCounts - (this.#lastPosition ?? positionCounts)) > JUMP_WINDOWS * window;
    if (jumped && moving === false && !this.#homingRuns) this.needsAttach = true;
    this.#lastPosition = positionCounts ?? this.#lastPosition;
  }

  /** The halt bit stays set until the next order: clearing it alone may continue the interrupted move. */
  async #halt(talk: DriveTalk, deceleration: number, acknowledged: () => void): Promise<boolean> {
    this.#homingRuns = false;
    const ramp = this.#units.ramp(deceleration);
    if ("raw" in ramp) await this.#control.set(talk, "profileDeceleration", ramp.raw);
    const state = await this.#control.state(talk);
    if (state === "operation-enabled") await this.#control.write(talk, CONTROL.halted, "decisive");
    acknowledged();
    return state === "operation-enabled";
  }

  #homingStarts(acknowledged: () => void): void {
    this.#homed = false;
    this.#homingRuns = this.#control.mode === MODE.homing;
    acknowledged();
  }
}

const firstTrouble = (...values: readonly ({ raw: number } | { trouble: string })[]): string | null => {
  for (const value of values) if ("trouble" in value) return value.trouble;
  return null;
};
