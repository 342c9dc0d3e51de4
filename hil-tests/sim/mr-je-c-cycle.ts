import { Cia402Motion, mode } from "./cia402-motion.ts";
import { type Cia402State, commandOf, controlBit, nextState, statePattern, statusBit } from "./cia402-state.ts";
import type { Motor } from "./motor.ts";
import { type MrJeCObjects, object } from "./mr-je-c-objects.ts";
import { type MrJeCScale, MrJeCUnits } from "./mr-je-c-units.ts";

/**
 * Behaviour that no page read settles. Defaults are the harsher reading for a master: what works here does not rely
 * on luck.
 */
export interface MrJeCQuirks extends MrJeCScale {
  /** From a bit-4 edge until SW12 = 1 and SW10 = 0; until then SW10 still shows the last motion's target. */
  ackMs: number;
  /** From a write of 6060 until 6061 shows it; it also waits for standstill. */
  modeDelayMs: number;
  /** One state transition after another when one controlword asks for two. */
  transitionMs: number;
  /** Fault reaction active until Fault, at least. */
  faultReactionMs: number;
  /** "halt = 0: execute": clearing bit 8 continues an interrupted position move. */
  haltResumes: boolean;
  /** Silence after mains on. */
  bootMs: number;
}

/** See `MrJeCQuirks`. */
export const mrJeCDefaults: MrJeCQuirks = {
  velocityUnit: 1,
  accelerationUnit: 1,
  ackMs: 3,
  modeDelayMs: 10,
  transitionMs: 2,
  faultReactionMs: 20,
  haltResumes: true,
  bootMs: 500,
};

const FOLLOWING_ERROR = 0x8611;
const WINDOW_OFF = 0xffff_ffff;

/** The drive's own cycle: CiA 402 state machine, mode change, watches, and the motion modes below it. */
export class MrJeCCycle {
  state: Cia402State = "switch-on-disabled";
  readonly motion: Cia402Motion;
  readonly units: MrJeCUnits;
  readonly #motor: Motor;
  readonly #objects: MrJeCObjects;
  readonly #quirks: MrJeCQuirks;
  #controlword = 0;
  #notBeforeS = 0;
  #modeAtS: number | undefined;
  #errorSinceS: number | undefined;

  constructor(motor: Motor, objects: MrJeCObjects, quirks: MrJeCQuirks) {
    this.#motor = motor;
    this.#objects = objects;
    this.#quirks = quirks;
    this.units = new MrJeCUnits(objects, quirks);
    this.motion = new Cia402Motion(motor, objects, this.units, quirks.ackMs, quirks.haltResumes);
  }

  get idle(): boolean {
    const settled = nextState(this.state, commandOf(this.#controlword), 0) === this.state;
    const reacts = this.state === "fault-reaction-active" || this.state === "quick-stop-active";
    return settled && !reacts && this.#modeAtS === undefined && this.motion.idle;
  }

  /** Takes a controlword. Returns whether its start or reset edge, if it has one, was obeyed. */
  control(controlword: number, nowS: number): boolean {
    const resets = (controlword & ~this.#controlword & controlBit.faultReset) !== 0;
    this.#controlword = controlword;
    if (resets && this.state === "fault") {
      this.#setError(0);
      this.#enter("switch-on-disabled");
      this.motion.observe(controlword);
      return true;
    }
    this.#transition(nowS);
    if (this.state === "operation-enabled") return this.motion.control(controlword, nowS);
    this.motion.observe(controlword);
    return false;
  }

  /** 6060 was written. */
  wantMode(nowS: number): void {
    this.#modeAtS = nowS + this.#quirks.modeDelayMs / 1000;
  }

  /** One plant step later. */
  step(nowS: number): void {
    if (nowS >= this.#notBeforeS) this.#transition(nowS);
    if (this.#modeAtS !== undefined && nowS >= this.#modeAtS && this.#motor.demand.atRest) this.#changeMode();
    if (this.state === "operation-enabled") this.motion.step(nowS);
    if (this.state === "quick-stop-active") this.#endQuickStop();
    if (this.state === "fault-reaction-active" && nowS >= this.#notBeforeS && this.#motor.demand.atRest)
      this.#enter("fault");
    this.#watchFollowingError(nowS);
  }

  statusword(): number {
    const moving = this.state === "operation-enabled" ? this.motion.statusBits() : 0;
    const error = this.#errorSinceS !== undefined && this.#objects.get(object.modeDisplay) === mode.profilePosition;
    const warning = this.motion.internalLimit ? statusBit.warning : 0;
    const always = statusBit.voltageEnabled | statusBit.remote;
    return statePattern[this.state] | always | moving | warning | (error ? statusBit.modeB : 0);
  }

  /** Trips the drive with a CiA 402 error code. */
  trip(error: number, nowS: number): void {
    this.#setError(error);
    this.motion.cancel();
    this.state = "fault-reaction-active";
    this.#notBeforeS = nowS + this.#quirks.faultReactionMs / 1000;
    if (this.#objects.get(object.faultReactionOption) === 0) this.#motor.power(false);
    else this.#motor.go({ kind: "stop", deceleration: this.units.ramp(object.quickStopDeceleration) });
  }

  /** Mains off and on. */
  restart(): void {
    this.#motor.power(false);
    this.#controlword = 0;
    this.#modeAtS = undefined;
    this.#errorSinceS = undefined;
    this.#setError(0);
    this.#objects.set(object.modeDisplay, [this.#objects.get(object.mode)]);
    this.motion.forget();
    this.state = "switch-on-disabled";
  }

  #transition(nowS: number): void {
    const next = nextState(this.state, commandOf(this.#controlword), this.#objects.get(object.quickStopOption));
    if (next === this.state || nowS < this.#notBeforeS) return;
    this.#notBeforeS = nowS + this.#quirks.transitionMs / 1000;
    this.#enter(next);
  }

  #enter(state: Cia402State): void {
    const before = this.state;
    this.state = state;
    if (state === "quick-stop-active") {
      this.motion.cancel();
      this.#motor.go({ kind: "stop", deceleration: this.units.quickStopRamp });
      if (this.#objects.get(object.quickStopOption) === 0) this.#enter("switch-on-disabled");
      return;
    }
    this.#motor.power(state === "operation-enabled");
    if (before === "operation-enabled") this.motion.cancel();
  }

  // Options 1 to 4 end in Switch on disabled, 5 to 8 stay (605A).
  #endQuickStop(): void {
    const still = this.#motor.demand.atRest && Math.abs(this.#motor.velocity) < 50;
    if (still && this.#objects.get(object.quickStopOption) <= 4) this.#enter("switch-on-disabled");
  }

  #changeMode(): void {
    this.#modeAtS = undefined;
    const wanted = this.#objects.get(object.mode);
    if (wanted === this.#objects.get(object.modeDisplay)) return;
    this.#objects.set(object.modeDisplay, [wanted]);
    this.motion.enterMode(wanted);
  }

  #watchFollowingError(nowS: number): void {
    const window = this.#objects.get(object.followingErrorWindow) >>> 0;
    if (!this.#motor.powered || window === WINDOW_OFF || Math.abs(this.#motor.followingError) <= window) {
      if (this.state !== "fault" && this.state !== "fault-reaction-active") this.#errorSinceS = undefined;
      return;
    }
    this.#errorSinceS ??= nowS;
    const lasted = (nowS - this.#errorSinceS) * 1000 >= this.#objects.get(object.followingErrorTimeout);
    if (lasted && this.state !== "fault-reaction-active") this.trip(FOLLOWING_ERROR, nowS);
  }

  #setError(error: number): void {
    this.#objects.set(object.errorCode, [error]);
    this.#objects.set(object.errorRegister, [error === 0 ? 0 : 1]);
    if (error === 0) this.#errorSinceS = undefined;
  }
}
