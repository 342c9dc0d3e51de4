import type { AxisId, AxisStatus, Fault } from "@servofleet/contracts";
import type { DriveFacts } from "../handshake/drive-facts.ts";
import type { Reading } from "./reading.ts";

/** A shaft that was turned by hand is told at most this often, ms. */
const DRIFT_SPACING_MS = 500;

/** The axis as its last successful reads show it, and whether that is news. */
export class StatusBoard {
  readonly #axis: AxisId;
  readonly #windowCounts: number;
  readonly #faultWords: (code: number | null) => Fault;
  #online = false;
  #offlineReason: string | null = "not read yet";
  #reads = 0;
  #enabled = false;
  #moving = false;
  #homed = false;
  #fault: Fault | null = null;
  #position: number | null = null;
  #velocity: number | null = null;
  #atUs = 0;
  #told = "";
  #toldPosition: number | null = null;
  #toldMs = 0;

  constructor(axis: AxisId, windowCounts: number, faultWords: (code: number | null) => Fault) {
    this.#axis = axis;
    this.#windowCounts = windowCounts;
    this.#faultWords = faultWords;
  }

  get online(): boolean {
    return this.#online;
  }

  get offlineReason(): string | null {
    return this.#offlineReason;
  }

  get moving(): boolean {
    return this.#moving;
  }

  get reads(): number {
    return this.#reads;
  }

  /** Unknown facts keep what was last known. */
  seen({ facts, velocityCountsPerS, middleUs }: Reading): void {
    this.#online = true;
    this.#offlineReason = null;
    if (isStatus(facts)) this.#reads++;
    this.#enabled = facts.enabled ?? this.#enabled;
    this.#moving = facts.moving ?? this.#moving;
    this.#homed = facts.homed ?? this.#homed;
    if (facts.fault !== null) this.#fault = facts.fault ? this.#faultWords(facts.faultCode) : null;
    this.#position = facts.positionCounts ?? this.#position;
    this.#velocity =
      facts.moving === false && facts.velocityCountsPerS === null ? 0 : (velocityCountsPerS ?? this.#velocity);
    this.#atUs = middleUs;
  }

  lost(reason: string, atUs: number): void {
    if (this.#offlineReason === reason) return;
    this.#online = false;
    this.#offlineReason = reason;
    this.#velocity = null;
    this.#atUs = atUs;
  }

  status(stopGeneration: number, stopPending: boolean): AxisStatus {
    return {
      axis: this.#axis,
      online: this.#online,
      offlineReason: this.#offlineReason,
      reads: this.#reads,
      enabled: this.#enabled,
      moving: this.#moving,
      homed: this.#homed,
      fault: this.#fault,
      positionCounts: this.#position,
      velocityCountsPerS: this.#velocity,
      stopGeneration,
      stopPending,
      atUs: this.#atUs,
    };
  }

  /** The next `news` tells the status whether or not it has changed. */
  tellAgain(): void {
    this.#told = "";
  }

  /** The status if a flag, the fault, the first reads or the place at standstill have changed since it was last told. */
  news(stopGeneration: number, stopPending: boolean, nowMs: number): AxisStatus | null {
    const status = this.status(stopGeneration, stopPending);
    const { online, offlineReason, enabled, moving, homed, fault } = status;
    const key = JSON.stringify([
      online,
      offlineReason,
      enabled,
      moving,
      homed,
      fault,
      stopGeneration,
      stopPending,
      Math.min(this.#reads, 2),
    ]);
    const drift = Math.abs((this.#position ?? 0) - (this.#toldPosition ?? 0));
    const drifted = !moving && online && drift > this.#windowCounts && nowMs - this.#toldMs >= DRIFT_SPACING_MS;
    if (key === this.#told && !drifted) return null;
    this.#told = key;
    this.#toldPosition = this.#position;
    this.#toldMs = nowMs;
    return status;
  }
}

/** A reading whose pattern the profile knows. */
const isStatus = (facts: DriveFacts): boolean => facts.enabled !== null && facts.positionCounts !== null;
