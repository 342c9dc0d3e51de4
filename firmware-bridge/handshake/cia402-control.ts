import type { Cia402Dialect } from "../profile/cia402-dialect.ts";
import type { DriveProfile } from "../profile/drive-profile.ts";
import { type Cia402State, cia402State, MODE, STATUS_BIT } from "./cia402-status.ts";
import { type DriveTalk, HandshakeError, type WriteWeight } from "./drive-talk.ts";

/** Words of 0x6040 that every drive shares (IEC 61800-7-201, commands of the state machine). */
export const CONTROL = {
  disableVoltage: 0x0000,
  shutdown: 0x0006,
  switchOn: 0x0007,
  enableOperation: 0x000f,
  halted: 0x010f,
  haltBit: 0x0100,
  startHoming: 0x001f,
  faultReset: 0x0080,
} as const;
const START_BIT = 1 << 4;
/** Name under `inferred` of a profile whose maker does not name bit 8. */
const HALT_BEHAVIOUR = "haltBit";
/** Every path from one state to Operation enabled is shorter. */
const STEPS_MAX = 8;

/** The controlword and the mode of one drive, as written and as read back. */
export class Cia402Control {
  readonly profile: DriveProfile;
  readonly words: { readonly low: number; readonly start: number; readonly off: number; readonly quickStop: number };
  mode: number | null = null;
  /** The mode that this bridge has set and seen in force; null when somebody else may have changed it. */
  ownMode: number | null = null;
  /** Last word written or read; null before the first. */
  word: number | null = null;
  /** A set-point was given since the drive was enabled: bit 10 speaks of it. */
  commanded = false;
  readonly #written = new Map<string, number>();
  /** Words whose answers were lost since one was last certain: the drive may hold any of them. */
  readonly #maybe = new Set<number>();

  constructor(profile: DriveProfile) {
    this.profile = profile;
    const { lowWord, startWord, offWord, quickStopWord } = profile.data.cia402;
    this.words = {
      low: Number(lowWord),
      start: Number(startWord),
      off: Number(offWord),
      quickStop: Number(quickStopWord),
    };
  }

  get dialect(): Cia402Dialect {
    return this.profile.data.cia402;
  }

  /** The mode that a start may rely on; null when it has to be written first. */
  get knownMode(): number | null {
    return this.dialect.modeShown === "in-force" ? this.mode : this.ownMode;
  }

  /** Whether bit 8 halts this drive. */
  get canHalt(): boolean {
    return this.profile.believes(HALT_BEHAVIOUR);
  }

  get halted(): boolean {
    return this.word !== null && (this.word & CONTROL.haltBit) !== 0;
  }

  /** Bit 8 is high or may be: a word without it could let the halted move go on. */
  get mayBeHalted(): boolean {
    return this.word === null || this.#mayHold(CONTROL.haltBit);
  }

  /** Bit 4 is high or may be: an edge must not be trusted before it was lowered. */
  get startBit(): boolean {
    return this.word === null || this.#mayHold(START_BIT);
  }

  /** Whether our word asks for Operation enabled. */
  get enables(): boolean {
    return this.word !== null && (this.word & 0x0f) === 0x0f;
  }

  /**
   * Takes over what the drive holds; false when it is no word of ours: the drive was switched off, or has another master.
   * The word of a disabled drive is also that of a fresh one, so it proves nothing.
   */
  adopt(word: number, mode: number): boolean {
    const ours =
      word !== CONTROL.disableVoltage && word !== this.words.off && (word === this.word || this.#maybe.has(word));
    if (!ours) this.commanded = false;
    this.word = word;
    this.#maybe.clear();
    this.mode = mode;
    this.ownMode = null;
    this.#written.clear();
    return ours;
  }

  async write(talk: DriveTalk, word: number, weight: WriteWeight): Promise<void> {
    this.#maybe.add(word);
    await talk.write([["controlword", word]], weight);
    this.#maybe.clear();
    this.word = word;
    if ((word & 0x0f) !== 0x0f) this.commanded = false;
  }

  /** Writes an object unless it is known to hold the value. */
  async set(talk: DriveTalk, name: string, raw: number): Promise<void> {
    if (this.#written.get(name) === raw) return;
    this.#written.delete(name);
    await talk.write([[name, raw]], "prepare");
    this.#written.set(name, raw);
  }

  async state(talk: DriveTalk): Promise<Cia402State> {
    return cia402State((await talk.read("statusword")).get("statusword") ?? 0);
  }

  async waitState(talk: DriveTalk, wanted: Cia402State): Promise<void> {
    await talk.waitFor(["statusword"], this.profile.data.timeouts.stateMs, `state ${wanted}`, (values) => {
      const state = cia402State(values.get("statusword") ?? 0);
      if (state === "fault") throw new HandshakeError("fault", { state }, "the drive is in fault; reset it first");
      return state === wanted;
    });
  }

  /** False when the drive was enabled already: then nothing is written, because a word could continue a halted move. */
  async enable(talk: DriveTalk, acknowledged: () => void): Promise<boolean> {
    await this.#needRemote(talk);
    for (let step = 0; step < STEPS_MAX; step++) {
      const state = await this.state(talk);
      switch (state) {
        case "operation-enabled":
          acknowledged();
          return false;
        case "switched-on":
          await this.#standFirst(talk);
          await this.write(talk, CONTROL.enableOperation, "decisive");
          acknowledged();
          return true;
        case "ready-to-switch-on":
          await this.write(talk, CONTROL.switchOn, "prepare");
          await this.waitState(talk, "switched-on");
          break;
        case "switch-on-disabled":
          await this.write(talk, CONTROL.shutdown, "prepare");
          await this.waitState(talk, "ready-to-switch-on");
          break;
        case "quick-stop-active":
          await this.write(talk, CONTROL.disableVoltage, "prepare");
          await this.waitState(talk, "switch-on-disabled");
          break;
        case "fault":
        case "fault-reaction-active":
          throw new HandshakeError("fault", { state }, "the drive is in fault; reset it first");
        default:
          await this.waitState(talk, "switch-on-disabled");
      }
    }
    throw new HandshakeError("no-response", {}, "the drive did not reach Operation enabled");
  }

  /** Takes the torque away; a moving axis is brought to rest by the drive's quick stop before. */
  async disable(talk: DriveTalk, acknowledged: () => void): Promise<void> {
    const still = this.profile.data.settle.stillCountsPerS;
    const speed = (await talk.read("actualVelocity")).get("actualVelocity") ?? 0;
    if (Math.abs(speed) > still) {
      await this.write(talk, this.words.quickStop, "interrupts");
      const { standstillMs } = this.profile.data.timeouts;
      const isStill = (raw: number) => Math.abs(raw) <= still;
      await talk.waitFor(["actualVelocity"], standstillMs, "standstill", (values) =>
        isStill(values.get("actualVelocity") ?? 0),
      );
    }
    await this.write(talk, this.words.off, "decisive");
    acknowledged();
  }

  /** False when there was no fault: the word would disable the drive. */
  async resetFault(talk: DriveTalk, acknowledged: () => void): Promise<boolean> {
    let state = await this.state(talk);
    if (state === "fault-reaction-active") {
      await talk.waitFor(
        ["statusword"],
        this.profile.data.timeouts.stateMs,
        "the end of the fault reaction",
        (values) => {
          state = cia402State(values.get("statusword") ?? 0);
          return state !== "fault-reaction-active";
        },
      );
    }
    if (state === "fault") {
      await this.write(talk, CONTROL.disableVoltage, "prepare");
      await this.write(talk, CONTROL.faultReset, "decisive");
      acknowledged();
      await this.write(talk, CONTROL.disableVoltage, "after");
      return true;
    }
    acknowledged();
    return false;
  }

  #mayHold(bit: number): boolean {
    if (((this.word ?? 0) & bit) !== 0) return true;
    return this.#maybe.values().some((word) => (word & bit) !== 0);
  }

  // Without its enable input a drive makes no transition and says nothing about it but bit 9.
  async #needRemote(talk: DriveTalk): Promise<void> {
    if (!this.dialect.needsRemote) return;
    const word = (await talk.read("statusword")).get("statusword") ?? 0;
    if ((word & STATUS_BIT.remote) !== 0) return;
    throw new HandshakeError(
      "not-ready",
      { statusword: word },
      "the drive's own enable input is low (bit 9 of its statusword is 0): switch it on, then enable again",
    );
  }

  // In profile velocity an old 60FF would set the axis in motion at the moment it is enabled.
  async #standFirst(talk: DriveTalk): Promise<void> {
    const mode = (await talk.read("modeDisplay")).get("modeDisplay") ?? null;
    this.mode = mode;
    const mayTurn = mode === MODE.profileVelocity || this.dialect.modeShown === "may-be-stale";
    if (mayTurn) await talk.write([["targetVelocity", 0]], "prepare");
  }
}
