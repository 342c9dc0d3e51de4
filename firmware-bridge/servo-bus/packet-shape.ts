/** A status packet of a servo, taken apart. */
export interface StatusPacket {
  readonly unit: number;
  /** The error byte as sent: a refusal on Dynamixel, status bits on Feetech. */
  readonly error: number;
  readonly data: Uint8Array;
}

/** How packets of one servo protocol are found in a stream of bytes. Pure. */
export interface PacketShape {
  /**
   * Whole length of the packet that begins at `at`; 0 when none can begin there, undefined while too few bytes are
   * there to say.
   */
  lengthAt(bytes: Uint8Array, at: number): number | undefined;
  /** Whether the checksum of a whole packet fits. */
  isIntact(packet: Uint8Array): boolean;
  /** The packet as an answer; undefined when it is none (a request, a foreign instruction). */
  status(packet: Uint8Array): StatusPacket | undefined;
  /** How the answer counts: `damaged` is the servo's word that our request reached it with a wrong checksum. */
  verdict(status: StatusPacket): "answer" | "refusal" | "damaged";
}
