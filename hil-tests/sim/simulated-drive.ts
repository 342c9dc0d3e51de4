import type { DriveRecord } from "./drive-record.ts";
import type { Motor } from "./motor.ts";
import { motorStepS } from "./motor.ts";
import type { RegisterBank } from "./register-bank.ts";

/** What the control port shows of a drive beyond its plant. */
export interface DriveState {
  /** The drive's own word for its state. */
  state: string;
  enabled: boolean;
  homed: boolean;
  moving: boolean;
  /** The drive's own alarm or error code, 0 when there is none. */
  alarm: number;
  /** Actual position as the drive reports it, drive counts. */
  position: number;
}

/** What a drive on a servo bus answers: instruction (or error byte) first, then the parameters. */
export interface PacketBank {
  /** The answer's error byte and data; undefined when the drive answers nothing to this. */
  answer(body: Buffer): Buffer | undefined;
  isRead(body: Buffer): boolean;
}

/** One drive on a line: registers outwards, a motor inwards. */
export interface SimulatedDrive extends RegisterBank {
  readonly id: string;
  readonly unit: number;
  readonly model: string;
  readonly motor: Motor;
  readonly record: DriveRecord;
  /** Leadshine answers a frame with a bad CRC by exception 08; others stay silent. */
  readonly answersBadCrc: boolean;
  /** False while the drive boots after a power cycle. */
  readonly answering: boolean;
  /** TCP connections it serves at once; more are closed again. Undefined: as many as come. */
  readonly clientsMax?: number;
  /** The drive's own enable input; undefined: it has none that matters. */
  enableInput?: boolean;
  /** Brings drive and plant up to this moment; every access calls it first. */
  advance(nowNs: bigint): void;
  state(): DriveState;
  /** Present on a servo bus: it is asked by packets, not by registers. */
  readonly packets?: PacketBank;
  /** A frame with a bad CRC went over the line, whoever it was for. */
  damagedFrame?(): void;
  /** Mains off and on: what was not saved is lost, homing is lost, the drive boots. */
  powerCycle(): void;
}

// A simulator that slept (SIGSTOP, a suspended laptop) does not replay more than this.
const CATCH_UP_MAX_S = 60;

/** Turns the host's clock into equal plant steps; an idle drive costs nothing. */
export class StepTime {
  /** Simulated seconds since this drive was built. */
  nowS = 0;
  #lastNs: bigint | undefined;

  /** Runs `step` for each whole step between the last call and `nowNs`, skipping the rest once `idle` holds. */
  advance(nowNs: bigint, idle: () => boolean, step: () => void): void {
    const lastNs = this.#lastNs ?? nowNs;
    const elapsedS = Number(nowNs - lastNs) / 1e9;
    if (idle() || elapsedS > CATCH_UP_MAX_S) {
      this.nowS += elapsedS;
      this.#lastNs = nowNs;
      return;
    }
    const steps = Math.floor(elapsedS / motorStepS);
    for (let n = 0; n < steps; n++) {
      this.nowS += motorStepS;
      step();
    }
    this.#lastNs = lastNs + BigInt(Math.round(steps * motorStepS * 1e9));
  }
}
