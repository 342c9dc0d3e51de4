import type { LinkConfig } from "@servofleet/contracts";
import { lineCost } from "@servofleet/firmware-bridge/link/bus-cost";
import { NO_FAULTS, VirtualLine } from "@servofleet/firmware-bridge/link/testing/virtual-line";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { crcFits, withCrc } from "../sim/modbus-crc.ts";
import { DrivePort } from "../sim/reply-faults.ts";
import type { SimulatedDrive } from "../sim/simulated-drive.ts";

/** What a drive takes to answer, ms. */
const TURNAROUND_MS = 0.8;

/** Simulated drives with their motors on an RTU line in virtual time: real frames, faults by seed. */
export class VirtualPlant {
  readonly line: VirtualLine;
  readonly ports: readonly DrivePort[];
  readonly #clock: Clock;

  constructor(config: LinkConfig, drives: readonly SimulatedDrive[], clock: Clock, random: Random) {
    const { characterUs, silenceUs } = lineCost(config);
    this.#clock = clock;
    this.ports = drives.map((drive) => new DrivePort(drive));
    this.line = new VirtualLine({
      clock,
      random,
      characterMs: characterUs / 1000,
      silenceMs: silenceUs / 1000,
      drives: (request) => this.#answer(request),
      faults: NO_FAULTS,
      lateMs: config.stopWaitMaxMs,
    });
  }

  /** The drive as it is now. */
  drive(unit: number): SimulatedDrive {
    const port = this.port(unit);
    port.drive.advance(this.#clock.monotonicNs());
    return port.drive;
  }

  port(unit: number): DrivePort {
    const found = this.ports.find(({ drive }) => drive.unit === unit);
    if (!found) throw new RangeError(`the line has no unit ${unit}`);
    return found;
  }

  #answer(request: Uint8Array): { readonly bytes: Uint8Array; readonly afterMs: number } | undefined {
    const frame = Buffer.from(request);
    if (!crcFits(frame)) return undefined;
    const port = this.ports.find(({ drive }) => drive.unit === frame[0]);
    const reply = port?.answer(frame.subarray(1, -2), this.#clock.monotonicNs());
    if (!reply) return undefined;
    const bytes = withCrc(Buffer.concat([Buffer.of(reply.unit), reply.pdu]));
    return { bytes, afterMs: TURNAROUND_MS + reply.delayMs };
  }
}
