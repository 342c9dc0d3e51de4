import type { OrderAction } from "@servofleet/contracts";
import { never } from "@servofleet/runtime/assert";
import type { DriveProfile, Values } from "../profile/drive-profile.ts";
import { MotionUnits } from "../profile/motion-units.ts";
import { Cia402Control, CONTROL } from "./cia402-control.ts";
import { Cia402HomeMemory } from "./cia402-home-memory.ts";
import { startHoming } from "./cia402-homing.ts";
import { startMove, startVelocity } from "./cia402-motion.ts";
import { type Cia402Memory, cia402Facts, cia402State, MODE } from "./cia402-status.ts";
import type { Drive, Performed } from "./drive.ts";
import type { DriveFacts } from "./drive-facts.ts";
import { type DriveTalk, HandshakeError } from "./drive-talk.ts";
import { verifyIdentity } from "./identity.ts";
import { parameterValue, writeParameter } from "./write-parameter.ts";

/** A step at standstill of so many position windows makes the bridge look whether the drive was switched off. */
const JUMP_WINDOWS = 10;

/** Methods of 6098 that make the present place the home position: 35 in older profiles, 37 in newer ones (CiA 402). */
const TAKES_PLACE: readonly number[] = [35, 37];
const HOME_BIT_STUCK =
  "the drive's home bit was up before the run and has not fallen, so it cannot be told whether a new home position was found";

const GOING: Performed = { finished: false };
const FINISHED: Performed = { finished: true };

/**
 * A CiA 402 drive behind Modbus (IEC 61800-7-201): profile position, profile velocity, homing. Its objects are registers
 * (MR-JE-C, Kinco) or object telegrams (igus dryve D1); how it differs from the standard is in its profile.
 */
export class Cia402Drive implements Drive {
  readonly profile: DriveProfile;
  needsAttach = false;
  readonly #control: Cia402Control;
  readonly #units: MotionUnits;
  readonly #home: Cia402HomeMemory;
  #lastPosition: number | null = null;

  constructor(profile: DriveProfile) {
    this.profile = profile;
    this.#control = new Cia402Control(profile);
    this.#units = new MotionUnits(profile.data.motion, null);
    this.#home = new Cia402HomeMemory(profile.data.cia402);
  }

  async attach(talk: DriveTalk): Promise<void> {
    await verifyIdentity(this.profile, talk);
    const word = (await talk.read("controlword")).get("controlword") ?? 0;
    const mode = (await talk.read("modeDisplay")).get("modeDisplay") ?? 0;
    // The controlword is volatile: where it is not ours any more, the drive was switched off and on or has another master.
    if (!this.#control.adopt(word, mode)) this.#home.forget();
    this.#home.ends();
    this.needsAttach = false;
  }

  facts(values: Values): DriveFacts {
    const mode = values.get("modeDisplay");
    if (mode !== undefined && this.#control.dialect.modeShown === "in-force") this.#control.mode = mode;
    const statusword = values.get("statusword");
    const state = statusword === undefined ? "unknown" : cia402State(statusword);
    if (this.#control.enables && (state === "switch-on-disabled" || state === "not-ready-to-switch-on"))
      this.needsAttach = true;
    const { positionWindowCounts } = this.profile.data.settle;
    if (statusword !== undefined) this.#home.seen(statusword, values.get("actualPosition"), positionWindowCounts);
    const facts = cia402Facts(values, this.#units, this.#memory, this.profile.data.settle.stillCountsPerS);
    this.#watchJump(facts);
    if (this.#home.unproven) return { ...facts, homingDoubt: HOME_BIT_STUCK };
    if (!this.#home.runs || facts.homing !== "attained") return facts;
    this.#home.attained();
    return { ...facts, homed: true };
  }

  get #memory(): Cia402Memory {
    const { halted, commanded, mode, dialect } = this.#control;
    const { homed, phase } = this.#home;
    const memory = { mode, homed, halted, commanded, noAcknowledge: dialect.setPointAcknowledge === "none" };
    return phase === undefined ? memory : { ...memory, homing: phase };
  }

  cannot(action: OrderAction): string | null {
    switch (action.kind) {
      case "move-absolute":
      case "move-velocity":
        if (action.kind === "move-absolute" && this.#control.dialect.targetsFromZero && action.targetCounts < 0)
          return `the drive takes no absolute target below 0 (${action.targetCounts} counts): home it so that the whole way is positive`;
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
        this.#home.ends();
        await startMove(action, this.#control, this.#units, talk, facts, acknowledged);
        return GOING;
      case "move-velocity":
        this.#home.ends();
        await startVelocity(action, this.#control, this.#units, talk, facts, acknowledged);
        return GOING;
      case "home":
        await startHoming(action, this.#control, this.#units, talk, facts, () =>
          this.#home.starts(TAKES_PLACE.includes(action.method) ? action.offsetCounts : null),
        );
        acknowledged();
        return GOING;
      default:
        return never(action);
    }
  }

  async stop(talk: DriveTalk): Promise<void> {
    this.#home.ends();
    await this.#control.write(talk, this.#control.words.quickStop, "decisive");
  }

  /** A place that changes at standstill by more than a shaft is turned in between: the counter has started anew. */
  #watchJump({ positionCounts, moving }: DriveFacts): void {
    const window = this.profile.data.settle.positionWindowCounts;
    const jumped =
      positionCounts !== null &&
      Math.abs(positionCounts - (this.#lastPosition ?? positionCounts)) > JUMP_WINDOWS * window;
    if (jumped && moving === false && !this.#home.runs) this.needsAttach = true;
    this.#lastPosition = positionCounts ?? this.#lastPosition;
  }

  /** The halt bit stays set until the next order: clearing it alone may continue the interrupted move. */
  async #halt(talk: DriveTalk, deceleration: number, acknowledged: () => void): Promise<boolean> {
    this.#home.ends();
    const ramp = this.#units.ramp(deceleration);
    if ("raw" in ramp && this.profile.has("profileDeceleration"))
      await this.#control.set(talk, "profileDeceleration", ramp.raw);
    const state = await this.#control.state(talk);
    if (state === "operation-enabled") await this.#writeHalt(talk);
    acknowledged();
    return state === "operation-enabled";
  }

  /** Where bit 8 is not proven to halt the drive, its quick stop ends the motion; the axis may be disabled afterwards. */
  async #writeHalt(talk: DriveTalk): Promise<void> {
    if (this.#control.canHalt) await this.#control.write(talk, CONTROL.halted, "decisive");
    else if (this.#control.mode === MODE.profileVelocity) await talk.write([["targetVelocity", 0]], "decisive");
    else await this.#control.write(talk, this.#control.words.quickStop, "decisive");
  }
}

const firstTrouble = (...values: readonly ({ raw: number } | { trouble: string })[]): string | null => {
  for (const value of values) if ("trouble" in value) return value.trouble;
  return null;
};
