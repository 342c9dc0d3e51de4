import type { LinkConfig } from "@servofleet/contracts";
import { replyBytes, requestBytes } from "../modbus/expected-reply.ts";
import { dynamixelProtocol, feetechProtocol } from "../servo-bus/servo-codec.ts";
import type { FrameSizes } from "./line-codec.ts";
import type { ModbusRequest } from "./link.ts";

/** What the price of a transaction depends on. */
export interface LineCost {
  /** Time of one character on the wire, microseconds; 0 on TCP. */
  readonly characterUs: number;
  /** Silence before every frame, microseconds (t3.5; Modbus over serial line v1.02, 2.5.1.1; or as declared); 0 on TCP. */
  readonly silenceUs: number;
  /** Work of a drive beyond its own silence, microseconds; on TCP the round trip. */
  readonly turnaroundUs: number;
  /** Cap of a reply time-out beyond the reply's own wire time, microseconds. */
  readonly replyWaitMaxUs: number;
  /** Absent: Modbus RTU frames. */
  readonly frames?: FrameSizes;
}

/** Above 19200 baud the silence is fixed (Modbus over serial line v1.02, 2.5.1.1). */
const FIXED_SILENCE_US = 1750;
const FIXED_SILENCE_ABOVE_BAUD = 19_200;
/** Until a drive has shown its own: the usual millisecond of a drive, and of a local network. */
const TURNAROUND_DEFAULT_US = 1000;
/** A stop is one register write. */
const STOP_REQUEST: ModbusRequest = { fn: "write", address: 0, value: 0 };
/** Where no poll plan is known: a read of 20 registers is in flight. */
const IN_FLIGHT_DEFAULT: ModbusRequest = { fn: "read", address: 0, quantity: 20 };

/** A line behind a device server may have any form. */
const LONGEST_CHARACTER = { parity: "even", stopBits: 1 } as const;

/** Bits of one character: start, 8 data, parity, stop. */
export const bitsPerCharacter = (parity: "none" | "even" | "odd", stopBits: 1 | 2): number =>
  9 + (parity === "none" ? 0 : 1) + stopBits;

/** The cost figures of a configured link; `turnaroundUs` replaces the assumed work of a drive once it is learned. */
export function lineCost(config: LinkConfig, turnaroundUs = TURNAROUND_DEFAULT_US): LineCost {
  const replyWaitMaxUs = config.stopWaitMaxMs * 1000;
  if (config.kind === "modbus-tcp") return { characterUs: 0, silenceUs: 0, turnaroundUs, replyWaitMaxUs };
  if (config.kind === "dynamixel" || config.kind === "feetech") {
    const frames = (config.kind === "dynamixel" ? dynamixelProtocol : feetechProtocol).sizes;
    // Packets are told apart by header and length, not by silence.
    return {
      characterUs: (bitsPerCharacter("none", 1) * 1e6) / config.baud,
      silenceUs: 0,
      turnaroundUs,
      replyWaitMaxUs,
      frames,
    };
  }
  const { parity, stopBits } = config.kind === "modbus-rtu" ? config : LONGEST_CHARACTER;
  const characterUs = (bitsPerCharacter(parity, stopBits) * 1e6) / config.baud;
  const strictUs = config.baud > FIXED_SILENCE_ABOVE_BAUD ? FIXED_SILENCE_US : 3.5 * characterUs;
  const declared = config.kind === "modbus-rtu" ? config.silenceUs : undefined;
  const silenceUs = typeof declared === "number" ? declared : strictUs;
  return { characterUs, silenceUs, turnaroundUs, replyWaitMaxUs };
}

/** Wire time of a request, microseconds. */
export const requestMicros = (request: ModbusRequest, line: LineCost): number =>
  (line.frames?.request(request) ?? requestBytes(request)) * line.characterUs;

/** Wire time of the answer, microseconds. */
export const replyMicros = (request: ModbusRequest, line: LineCost): number =>
  (line.frames?.reply(request) ?? replyBytes(request)) * line.characterUs;

/**
 * Bus time of one answered transaction, microseconds: c*(Lreq+Lresp) + 2*t3.5 + d, one silence before the request and
 * one before the reply. `turnaroundUs` is what the unit has shown; without it the line's assumption.
 */
export const transactionMicros = (request: ModbusRequest, line: LineCost, turnaroundUs = line.turnaroundUs): number =>
  requestMicros(request, line) + replyMicros(request, line) + 2 * line.silenceUs + turnaroundUs;

/** Bus time of a transaction that is never answered, microseconds. */
export const silentTransactionMicros = (request: ModbusRequest, line: LineCost): number =>
  requestMicros(request, line) + replyMicros(request, line) + line.silenceUs + line.replyWaitMaxUs;

/**
 * Longest wait of a stop from the moment the bridge has it to its first byte, ms: the costliest transaction in flight
 * (to a drive that went silent just now), the silence, and the stops of `stopsAhead` other axes of the same line, which
 * answer (units known to be silent are stopped last).
 */
export function stopBoundMs(
  line: LineCost,
  stopsAhead: number,
  inFlight: readonly ModbusRequest[] = [IN_FLIGHT_DEFAULT],
  stop: ModbusRequest = STOP_REQUEST,
): number {
  const worstUs = Math.max(0, ...inFlight.map((request) => silentTransactionMicros(request, line)));
  return (worstUs + line.silenceUs + stopsAhead * transactionMicros(stop, line)) / 1000;
}

/** A read that is repeated. */
export interface PollPlan {
  readonly request: ModbusRequest;
  readonly periodMs: number;
  /** Whom it asks: known, its learned turn-around prices it. */
  readonly unit?: number;
}

/** Share of the line's time that the polls need; above 0.85 there is no room for commands. */
export const plannedLoad = (
  polls: readonly PollPlan[],
  line: LineCost,
  learnedUs: (unit: number | undefined) => number | undefined = () => undefined,
): number =>
  polls.reduce(
    (sum, { request, unit, periodMs }) => sum + transactionMicros(request, line, learnedUs(unit)) / (periodMs * 1000),
    0,
  );
