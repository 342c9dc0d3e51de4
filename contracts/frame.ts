import Type, { type Static } from "typebox";

/** Bytes seen on a wire. `at` is wall time (RFC 3339, microseconds) of the first byte. */
export const FrameSchema = Type.Object(
  {
    direction: Type.Union([Type.Literal("tx"), Type.Literal("rx")]),
    at: Type.String({ format: "date-time" }),
    hex: Type.String({ pattern: "^([0-9a-f]{2})*$" }),
  },
  { additionalProperties: false },
);
export type Frame = Static<typeof FrameSchema>;

/** A command keeps at most this many bytes of frames in its story; the newest are dropped first and the last is kept. */
export const COMMAND_FRAMES_MAX_BYTES = 2048;
