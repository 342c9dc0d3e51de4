import type { ServoWire } from "./servo-wire.ts";

/** Everything from the id on adds up to 255 with the last byte (FTServo_Python, protocol_packet_handler). */
function completed(body: Buffer): Buffer {
  const total = body.reduce((sum, byte) => sum + byte, 0);
  return Buffer.concat([Buffer.of(0xff, 0xff), body, Buffer.of(255 - (total % 256))]);
}

/** A packet of the SCS protocol: `code` is the instruction, or the error byte of an answer. */
export const feetechFrame = (id: number, code: number, parameters: Uint8Array): Buffer =>
  completed(Buffer.concat([Buffer.of(id, parameters.length + 2, code), parameters]));

/** Feetech's SCS protocol at the servo's end. */
export const feetechWire: ServoWire = {
  broadcast: 0xfe,
  addressBytes: 1,
  cut(buffer) {
    const start = buffer.indexOf("ffff", 0, "hex");
    if (start < 0) return buffer.length > 1 ? { taken: buffer.length - 1 } : undefined;
    if (start > 0) return { taken: start };
    if (buffer.length < 4) return undefined;
    const [, , id = 0, length = 0] = buffer;
    if (id === 0xff || length < 2) return { taken: 1 };
    if (buffer.length < 4 + length) return undefined;
    const frame = buffer.subarray(0, 4 + length);
    if (!completed(frame.subarray(2, -1)).equals(frame)) return { taken: 1 };
    return {
      taken: frame.length,
      request: { id, instruction: frame[4] ?? 0, parameters: Buffer.from(frame.subarray(5, -1)) },
    };
  },
  status: feetechFrame,
};
