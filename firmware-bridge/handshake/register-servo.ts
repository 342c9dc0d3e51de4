import type { OrderAction } from "@servofleet/contracts";
import { assert, never } from "@servofleet/runtime/assert";
import type { DriveProfile, Values } from "../profile/drive-profile.ts";
import { MotionUnits } from "../profile/motion-units.ts";
import type { ServoDialect } from "../profile/servo-dialect.ts";
import type { Drive, Performed } from "./drive.ts";
import type { DriveFacts } from "./drive-facts.ts";
import { type DriveTalk, HandshakeError, type WriteWeight } from "./drive-talk.ts";
import { verifyIdentity } from "./identity.ts";
import { brakePoint, type ServoPlace, type ServoRates, servoRates } from "./servo-motion.ts";
import { servoFacts, servoFault } from "./servo-status.ts";
import { parameterValue, writeParameter } from "./write-parameter.ts";

const GOING: Performed = { finished: false };
const FINISHED: Performed = { finished: true };
const NOTHING_TO_HOME = "the encoder is absolute: there is nothing to home; shift the zero with the servo's own offset";
type Move = Extract<OrderAction, { kind: "move-absolute" | "move-velocity" }>;

/**
 * A servo that follows a goal register: Dynamixel X (e-manual, control table), Feetech STS (FTServo_Python), and others by
 * profile. It has no stop command: a stop is a goal at the point where the shaft can come to rest, from the last reading
 * first and once more from a fresh one. A velocity move is a move to the end of the way at that speed, so that the servo
 * itself ends it where the controller dies.
 */
export class RegisterServo implements Drive {
  readonly profile: DriveProfile;
  needsAttach = false;
  readonly #servo: ServoDialect;
  readonly #units: MotionUnits;
  #rates: ServoRates = { velocity: null, ramp: null };
  #goal: number | null = null;
  #place: ServoPlace | null = null;
  /** Torque as last read. */
  #torqueRead: boolean | null = null;
  /** Torque was switched on by this bridge and not off again. */
  #torqueOurs = false;
  #watchdogTripped = false;
  #armed: boolean | null = null;

  constructor(profile: DriveProfile) {
    const { servo, motion } = profile.data;
    assert(servo !== undefined, `profile ${profile.name} was not checked`);
    this.profile = profile;
    this.#servo = servo;
    this.#units = new MotionUnits(motion, null);
  }

  get watchdogArmed(): boolean | null | undefined {
    return this.#servo.watchdog && this.#armed;
  }

  async attach(talk: DriveTalk): Promise<void> {
    await verifyIdentity(this.profile, talk);
    for (const { register, value, means } of this.#servo.expects) {
      const found = (await talk.read(register)).get(register);
      if (found === value) continue;
      const words = `${register} reads ${found}, but ${this.profile.name} needs ${value} (${means}): set it with the maker's tool`;
      throw new HandshakeError("wrong-drive", { register, found, value }, words);
    }
    this.#rates = { velocity: await this.#readOwn(talk, "goalVelocity"), ramp: await this.#readOwn(talk, "goalRamp") };
    this.#goal = await this.#readOwn(talk, "goalPosition");
    this.#torqueOurs = false;
    this.needsAttach = false;
  }

  facts(values: Values): DriveFacts {
    const facts = servoFacts(values, this.#units, this.#servo, this.profile.data);
    const { positionCounts, velocityCountsPerS, moving, enabled } = facts;
    if (positionCounts !== null)
      this.#place = { counts: positionCounts, countsPerS: velocityCountsPerS, moving: moving ?? true };
    if (enabled !== null) this.#torqueRead = enabled;
    const { watchdog } = this.#servo;
    const dog = watchdog && values.get(watchdog.register);
    if (watchdog && dog !== undefined) {
      this.#watchdogTripped = dog === watchdog.tripped;
      this.#armed = this.#watchdogTripped || dog === watchdogRaw(watchdog);
    }
    // Torque that went without our word and without a fault: the servo was switched off and on.
    if (this.#torqueOurs && enabled === false && facts.fault === false) this.needsAttach = true;
    if (this.#watchdogTripped && facts.fault !== true)
      return { ...facts, fault: true, faultCode: servoFault(this.#trip, this.#servo) };
    return facts;
  }

  cannot(action: OrderAction): string | null {
    switch (action.kind) {
      case "move-absolute":
      case "move-velocity": {
        const rates = servoRates(action, this.#units);
        return "trouble" in rates ? rates.trouble : null;
      }
      case "home":
        return NOTHING_TO_HOME;
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
        return this.#enable(talk, facts, acknowledged);
      case "disable":
        return this.#disable(talk, acknowledged);
      case "reset-fault":
        return this.#reset(talk, facts, acknowledged);
      case "halt":
        return this.#halt(action.deceleration, talk, acknowledged);
      case "write-parameter":
        await writeParameter(this.profile, action, talk, acknowledged);
        return FINISHED;
      case "move-absolute":
      case "move-velocity":
        return this.#move(action, talk, acknowledged);
      case "home":
        throw new HandshakeError("unsupported", { ...action }, NOTHING_TO_HOME);
      default:
        return never(action);
    }
  }

  async stop(talk: DriveTalk): Promise<void> {
    // A goal could give torque to a servo that has none, and one that its own watchdog has stopped takes no goal: there
    // the stop repeats what is, so that it transmits and is confirmed all the same.
    if (this.#torqueRead === false && !this.#torqueOurs) return talk.write([["torqueEnable", 0]], "decisive");
    if (this.#watchdogTripped) return talk.write([["torqueEnable", 1]], "decisive");
    const goal = this.#goal;
    const seen = this.#place;
    const first = this.#brake(seen ?? (await this.#look(talk)));
    await this.#writeGoal(talk, first, "decisive");
    if (seen === null || !seen.moving) return;
    // The first goal lies behind the shaft by the age of the reading: without this it would run back.
    const fresh = this.#brake(await this.#look(talk), goal);
    const { positionWindowCounts } = this.profile.data.settle;
    if (Math.abs(fresh - first) > positionWindowCounts) await this.#writeGoal(talk, fresh, "after");
  }

  async #enable(talk: DriveTalk, facts: DriveFacts, acknowledged: () => void): Promise<Performed> {
    if (facts.fault === true) {
      const fault = this.profile.fault(facts.faultCode ?? 0);
      throw new HandshakeError("fault", { code: fault.code }, `the servo is in fault (${fault.name}); reset it first`);
    }
    if (((await talk.read("torqueEnable")).get("torqueEnable") ?? 0) !== 0) {
      await this.#setWatchdog(talk);
      this.#torqueOurs = true;
      acknowledged();
      return FINISHED;
    }
    await this.#setWatchdog(talk);
    // An old goal would set the shaft in motion at the moment it gets torque.
    const place = await this.#look(talk);
    await this.#writeGoal(talk, place.counts, "prepare");
    await talk.write([["torqueEnable", 1]], "decisive");
    this.#torqueOurs = true;
    acknowledged();
    return GOING;
  }

  async #disable(talk: DriveTalk, acknowledged: () => void): Promise<Performed> {
    const place = await this.#look(talk);
    if (place.moving) {
      await this.#writeGoal(talk, this.#brake(place), "interrupts");
      const { standstillMs } = this.profile.data.timeouts;
      const { register, mask } = this.#servo.moving;
      await talk.waitFor(
        [register],
        standstillMs,
        "standstill",
        (values) => ((values.get(register) ?? 0) & mask) === 0,
      );
    }
    await talk.write([["torqueEnable", 0]], "decisive");
    this.#torqueOurs = false;
    acknowledged();
    return GOING;
  }

  /** Torque goes first: nothing may go on towards an old goal when the fault is gone. */
  async #reset(talk: DriveTalk, facts: DriveFacts, acknowledged: () => void): Promise<Performed> {
    if (facts.fault === false) {
      acknowledged();
      return FINISHED;
    }
    const { reset, watchdog } = this.#servo;
    const trippedOnly = this.#watchdogTripped && facts.faultCode === servoFault(this.#trip, this.#servo);
    await talk.write([["torqueEnable", 0]], reset && !trippedOnly ? "prepare" : "decisive");
    this.#torqueOurs = false;
    if (watchdog && this.#watchdogTripped) await talk.write([[watchdog.register, 0]], "after");
    if (reset && !trippedOnly) {
      await talk.write([[reset.register, reset.value]], "decisive");
      this.needsAttach = true;
    }
    acknowledged();
    return GOING;
  }

  async #halt(deceleration: number, talk: DriveTalk, acknowledged: () => void): Promise<Performed> {
    const ramp = this.#units.ramp(deceleration);
    if ("raw" in ramp) this.#rates = { ...this.#rates, ramp: ramp.raw };
    await this.#writeGoal(talk, this.#brake(await this.#look(talk)), "decisive");
    acknowledged();
    return GOING;
  }

  async #move(action: Move, talk: DriveTalk, acknowledged: () => void): Promise<Performed> {
    const rates = servoRates(action, this.#units);
    if ("trouble" in rates) throw new HandshakeError("unsupported", { ...action }, rates.trouble);
    if (((await talk.read("torqueEnable")).get("torqueEnable") ?? 0) === 0)
      throw new HandshakeError("not-ready", {}, "the servo has no torque; enable it first");
    this.#rates = rates;
    await this.#writeGoal(talk, goalOf(action), "decisive");
    acknowledged();
    return GOING;
  }

  /** Rates and goal in the profile's writes; the last one starts, and is the one that weighs. */
  async #writeGoal(talk: DriveTalk, goal: number, weight: WriteWeight): Promise<void> {
    this.#goal = goal;
    const raw: Readonly<Record<string, number | null>> = {
      goalPosition: goal,
      goalVelocity: this.#rates.velocity,
      goalRamp: this.#rates.ramp,
    };
    const { motion } = this.#servo;
    for (const [n, names] of motion.entries()) {
      const entries = names.map((name) => [name, raw[name] ?? 0] as const);
      await talk.write(entries, n === motion.length - 1 ? weight : weight === "after" ? "after" : "prepare");
    }
  }

  /** Cleared first, so that a new period takes hold; read back, because what it promises must be true. */
  async #setWatchdog(talk: DriveTalk): Promise<void> {
    const { watchdog } = this.#servo;
    if (!watchdog) return;
    const { register } = watchdog;
    const raw = watchdogRaw(watchdog);
    await talk.write([[register, 0]], "prepare");
    await talk.write([[register, raw]], "prepare");
    const found = (await talk.read(register)).get(register);
    this.#armed = found === raw;
    if (this.#armed) return;
    throw new HandshakeError("no-response", { register, raw, found }, `${register} reads back ${found}, not ${raw}`);
  }

  #brake(place: ServoPlace, goal = this.#goal): number {
    return brakePoint(place, goal, this.#rates, this.profile.data.motion);
  }

  async #look(talk: DriveTalk): Promise<ServoPlace> {
    const { register } = this.#servo.moving;
    const velocity = this.profile.has("actualVelocity") ? ["actualVelocity"] : [];
    const values = await talk.read(register, "actualPosition", ...velocity);
    this.facts(values);
    assert(this.#place !== null, "a position was read");
    return this.#place;
  }

  /** A rate that the drive holds already; null where it has no such register. */
  async #readOwn(talk: DriveTalk, name: string): Promise<number | null> {
    return this.profile.has(name) ? ((await talk.read(name)).get(name) ?? null) : null;
  }

  get #trip(): Values {
    const { watchdog } = this.#servo;
    return new Map(watchdog ? [[watchdog.register, watchdog.tripped]] : []);
  }
}

const watchdogRaw = ({ ms, stepMs }: NonNullable<ServoDialect["watchdog"]>): number =>
  Math.max(1, Math.round(ms / stepMs));

const goalOf = (action: Move): number =>
  action.kind === "move-absolute" ? action.targetCounts : action.velocity > 0 ? action.maxCounts : action.minCounts;
