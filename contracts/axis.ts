import Type, { type Static } from "typebox";

/** PLCopen Motion Control Part 1 (v2.0) axis states, and `offline` where the drive does not answer. */
export const AXIS_STATES = [
  "disabled",
  "standstill",
  "homing",
  "discrete-motion",
  "continuous-motion",
  "synchronized-motion",
  "stopping",
  "error-stop",
  "offline",
] as const;
export type AxisState = (typeof AXIS_STATES)[number];
export const AxisStateSchema = Type.Unsafe<AxisState>(Type.String({ enum: [...AXIS_STATES] }));

/** OPC UA style quality of a value: `stale` is older than three poll periods, `bad` came from a drive that stopped answering. */
export const QUALITIES = ["good", "stale", "uncertain", "bad"] as const;
export type Quality = (typeof QUALITIES)[number];

/** A fault as the drive reports it, with the profile's words for a person. */
export const FaultSchema = Type.Object(
  {
    code: Type.String({ maxLength: 32 }),
    name: Type.String({ maxLength: 120 }),
    remedy: Type.String({ maxLength: 500 }),
  },
  { additionalProperties: false },
);
export type Fault = Static<typeof FaultSchema>;
