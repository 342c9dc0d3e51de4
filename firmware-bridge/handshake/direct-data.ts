import type { OrderAction } from "@servofleet/contracts";
import { never } from "@servofleet/runtime/assert";
import type { DriveProfile, Values } from "../profile/drive-profile.ts";
import { MotionUnits } from "../profile/motion-units.ts";
import { directDataFacts, INPUT, OUTPUT, outputHas } from "./direct-data-status.ts";
import { directWrite } from "./direct-data-writes.ts";
import type { Drive, Performed } from "./drive.ts";
import type { DriveFacts } from "./drive-facts.ts";
import { type DriveTalk, HandshakeError, type WriteWeight } from "./drive-talk.ts";
import { verifyIdentity } from "./identity.ts";
import { parameterValue, writeParameter } from "./write-parameter.ts";

const GOING: Performed = { finished: false };
const FINISHED: Performed = { finished: true };
/** A driver input that is not ours so many readings in a row: switched off and on, or another master. */
const STRANGE_READS = 2;

/**
 * Oriental Motor's direct data operation (AZ): one write of 16 registers moves, driver inputs are levels.
 * STOP stays on after a stop and is taken back by the next order: while it is on, nothing can start the motor.
 */
export class DirectDataDrive implements Drive {
  readonly profile: DriveProfile;
  needsAttach = false;
  readonly #units: MotionUnits;
  /** The driver input as last written and answered; null while that is not known. */
  #input: number | null = null;
  /** FREE as last read. */
  #freeRead = false;
  #strangeReads = 0;
  #homed = false;
  #homingRuns = false;

  constructor(profile: DriveProfile) {
    this.profile = profile;
    this.#units = new MotionUnits(profile.data.motion, null);
  }

  async attach(talk: DriveTalk): Promise<void> {
    await verifyIdentity(this.profile, talk);
    const word = (await talk.read("driverInput")).get("driverInput") ?? 0;
    this.#input = word;
    this.#freeRead = (word & INPUT.free) !== 0;
    // Nothing tells a drive that kept its home from one that was exchanged while nobody looked.
    this.#homed = this.#homingRuns = false;
    this.#strangeReads = 0;
    this.needsAttach = false;
  }

  facts(values: Values): DriveFacts {
    this.#watchInput(values.get("driverInput"));
    const facts = directDataFacts(values, {
      homed: this.#homed,
      homingRuns: this.#homingRuns,
      positionWindowCounts: this.profile.data.settle.positionWindowCounts,
      believesInPosition: this.#believes("inPosition"),
      believesHomeEnd: this.#believes("homeEnd"),
    });
    if (this.#homingRuns && facts.homing === "attained") {
      this.#homed = true;
      this.#homingRuns = false;
    }
    return facts;
  }

  cannot(action: OrderAction): string | null {
    switch (action.kind) {
      case "move-absolute":
      case "move-velocity": {
        const write = directWrite(action, this.#units);
        return "trouble" in write ? write.trouble : null;
      }
      case "home":
        return this.#homingTrouble(action);
      case "write-parameter": {
        const value = parameterValue(this.profile, action);
        return "trouble" in value ? value.trouble : null;
      }
      default:
        return null;
    }
  }

  async perform(action: OrderAction, talk: DriveTalk, facts: DriveFacts, acknowledged: () => void): Promise<Performed> {
    switch (action.kind) {
      case "enable":
        await this.#setInput(talk, 0, "decisive");
        acknowledged();
        return GOING;
      case "disable":
        if (await this.#isMoving(talk)) await this.#stopFirst(talk);
        await this.#setInput(talk, INPUT.free, "decisive");
        acknowledged();
        return GOING;
      case "reset-fault":
        return this.#reset(talk, facts, acknowledged);
      case "halt":
        this.#homingRuns = false;
        // The stopping rate is the one that came with the motion.
        await this.#setInput(talk, INPUT.stop | this.#free, "decisive");
        acknowledged();
        return GOING;
      case "write-parameter":
        await writeParameter(this.profile, action, talk, acknowledged);
        return FINISHED;
      case "move-absolute":
      case "move-velocity":
        return this.#move(action, talk, acknowledged);
      case "home":
        return this.#home(action, talk, acknowledged);
      default:
        return never(action);
    }
  }

  async stop(talk: DriveTalk): Promise<void> {
    this.#homingRuns = false;
    await this.#setInput(talk, INPUT.stop | this.#free, "decisive");
  }

  async #move(
    action: Extract<OrderAction, { kind: "move-absolute" | "move-velocity" }>,
    talk: DriveTalk,
    acknowledged: () => void,
  ): Promise<Performed> {
    const write = directWrite(action, this.#units);
    if ("trouble" in write) throw new HandshakeError("unsupported", { ...action }, write.trouble);
    await this.#clearTheWay(talk, this.#believes("takesOver"));
    await talk.write(write.entries, "decisive");
    acknowledged();
    return GOING;
  }

  /** ZHOME is a level that starts on its edge: off, on, and off again once the drive has taken it. */
  async #home(
    action: Extract<OrderAction, { kind: "home" }>,
    talk: DriveTalk,
    acknowledged: () => void,
  ): Promise<Performed> {
    const trouble = this.#homingTrouble(action);
    if (trouble !== null) throw new HandshakeError("unsupported", { ...action }, trouble);
    await this.#clearTheWay(talk, false);
    await this.#setInput(talk, this.#homingInput(action.method), "decisive");
    this.#homed = false;
    this.#homingRuns = true;
    acknowledged();
    await this.#seen(talk, this.profile.data.timeouts.acceptMs, (values) => outputHas(values, OUTPUT.move));
    await this.#setInput(talk, 0, "after");
    return GOING;
  }

  async #reset(talk: DriveTalk, facts: DriveFacts, acknowledged: () => void): Promise<Performed> {
    if (facts.fault === false) {
      acknowledged();
      return FINISHED;
    }
    this.#homingRuns = false;
    const free = this.#free;
    // ALM-RST acts on its rising edge: a level that was left on would do nothing.
    if (this.#input !== free) await this.#setInput(talk, free, "prepare");
    await this.#setInput(talk, INPUT.alarmReset | free, "decisive");
    acknowledged();
    await this.#seen(talk, this.profile.data.timeouts.stateMs, (values) => !outputHas(values, OUTPUT.alarm));
    await this.#setInput(talk, free, "after");
    return GOING;
  }

  /** Standstill, no level left on, and READY where the profile believes in that bit. */
  async #clearTheWay(talk: DriveTalk, takesOver: boolean): Promise<void> {
    this.#homingRuns = false;
    if (!takesOver && (await this.#isMoving(talk))) await this.#stopFirst(talk);
    if (this.#input !== 0) await this.#setInput(talk, 0, "prepare");
    if (takesOver || !this.#believes("ready")) return;
    const { acceptMs } = this.profile.data.timeouts;
    await talk.waitFor(["driverOutput"], acceptMs, "READY", (values) => outputHas(values, OUTPUT.ready));
  }

  async #stopFirst(talk: DriveTalk): Promise<void> {
    await this.#setInput(talk, INPUT.stop, "interrupts");
    const { standstillMs } = this.profile.data.timeouts;
    const what = "standstill before the new command";
    await talk.waitFor(["driverOutput"], standstillMs, what, (values) => !outputHas(values, OUTPUT.move));
  }

  async #isMoving(talk: DriveTalk): Promise<boolean> {
    return outputHas(await talk.read("driverOutput"), OUTPUT.move);
  }

  /** Waits for the level's effect; where it does not come the level goes off all the same, and the watch says why. */
  async #seen(talk: DriveTalk, limitMs: number, done: (values: Values) => boolean): Promise<void> {
    try {
      await talk.waitFor(["driverOutput"], limitMs, "the level's effect", done);
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error;
    }
  }

  async #setInput(talk: DriveTalk, word: number, weight: WriteWeight): Promise<void> {
    this.#input = null;
    await talk.write([["driverInput", word]], weight);
    this.#input = word;
    this.#strangeReads = 0;
  }

  /**
   * FREE goes along with a stop only when both the last write and the last reading have it: a stop that frees a motor by
   * an old belief would drop its load, one that gives current to a free motor only holds it where it is.
   */
  get #free(): number {
    return this.#freeRead && this.#input !== null ? this.#input & INPUT.free : 0;
  }

  #watchInput(word: number | undefined): void {
    if (word === undefined) return;
    this.#freeRead = (word & INPUT.free) !== 0;
    this.#strangeReads = this.#input === null || word === this.#input ? 0 : this.#strangeReads + 1;
    if (this.#strangeReads >= STRANGE_READS) this.needsAttach = true;
  }

  #believes(name: string): boolean {
    return this.profile.data.inferred[name]?.enabled === true;
  }

  #homingInput(method: number): number {
    return this.profile.data.homingMethods[String(method)] ?? 0;
  }

  #homingTrouble(action: Extract<OrderAction, { kind: "home" }>): string | null {
    const methods = Object.keys(this.profile.data.homingMethods);
    if (this.#homingInput(action.method) === 0)
      return `homing method ${action.method} is not one the drive has (${methods.join(", ")})`;
    return action.offsetCounts === 0 ? null : "the drive returns to its own home position and takes no offset";
  }
}
