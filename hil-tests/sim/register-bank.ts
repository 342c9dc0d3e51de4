/** Modbus exception codes (Modbus application protocol v1.1b3, 7). Leadshine also answers 8: bad CRC. */
export const exceptionCode = { wrongFunction: 1, wrongAddress: 2, wrongValue: 3, deviceFailure: 4, badCrc: 8 } as const;

/** A refusal in the words of the wire. */
export type Exception = { exception: number };

/** What a Modbus server asks a drive. The drive decides about runs, ranges and effects; the server only frames. */
export interface RegisterBank {
  /** Function codes this drive knows; any other is answered with exception 01. */
  readonly functions: ReadonlySet<number>;
  /** Longest RTU message the drive takes or sends, bytes (Leadshine iCL-RS manual: 200). */
  readonly messageBytesMax: number;
  /** Function byte of a refused read where it is not 0x83 (Kinco prints 0x81). */
  readonly readErrorFunction?: number;
  /** Answers a request PDU that is no register access; undefined: not one of mine. */
  answerOwn?(pdu: Buffer): Buffer | undefined;
  /** The values of `count` registers from `address`, or the exception. */
  readRun(address: number, count: number): readonly number[] | Exception;
  /** Takes the values and acts on them, or names the exception (then nothing was taken). */
  writeRun(address: number, values: readonly number[]): Exception | undefined;
}

/** True when the drive refused. */
export function isException(answer: readonly number[] | Exception | undefined): answer is Exception {
  return answer !== undefined && "exception" in answer;
}

/** Two registers as one signed 32-bit number. */
export function i32(high: number, low: number): number {
  return (high << 16) | low;
}

/** A signed or unsigned 32-bit number as `[high, low]`; fractions are cut. */
export function words(value: number): [high: number, low: number] {
  const whole = Math.trunc(value) | 0;
  return [(whole >>> 16) & 0xffff, whole & 0xffff];
}

/** One register read as a signed 16-bit number. */
export function i16(value: number): number {
  return (value << 16) >> 16;
}
