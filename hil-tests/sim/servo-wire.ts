/** One instruction packet as it came over a servo bus. */
export interface ServoRequest {
  id: number;
  instruction: number;
  parameters: Buffer;
}

/** How one protocol's packets look on the wire. */
export interface ServoWire {
  broadcast: number;
  /** Of an address and of a count in a request. */
  addressBytes: 1 | 2;
  /**
   * The first whole packet of the buffer and how many bytes it and the rubbish before it take; `request` is missing for
   * rubbish and for a packet with a wrong checksum. Undefined while more bytes are needed.
   */
  cut(buffer: Buffer): { taken: number; request?: ServoRequest } | undefined;
  /** A status packet. */
  status(id: number, error: number, parameters: Buffer): Buffer;
}
