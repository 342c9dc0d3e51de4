import Type, { type Static } from "typebox";

const strict = { additionalProperties: false } as const;
const word = (preset: string, description: string) =>
  Type.String({ pattern: "^0x[0-9A-Fa-f]{4}$", default: preset, description });
const pause = (description: string) => Type.Integer({ minimum: 0, maximum: 10_000, default: 0, description });

/** Where a drive of the handshake `cia402-registers` differs from the letter of IEC 61800-7-201. */
export const Cia402DialectSchema = Type.Object(
  {
    lowWord: word("0x000F", "controlword before a start, bit 4 low"),
    startWord: word("0x003F", "controlword of a start: absolute, at once; differs from lowWord in bit 4 at least"),
    twoStep: Type.Boolean({
      default: false,
      description: "lowWord is written before each start, whatever stood there",
    }),
    offWord: word("0x0000", "controlword that takes the torque away"),
    quickStopWord: word("0x0002", "controlword of the quick stop"),
    setPointAcknowledge: Type.Union([Type.Literal("held"), Type.Literal("self-clearing"), Type.Literal("none")], {
      default: "held",
      description: "bit 12 of the statusword after a start",
    }),
    homeFound: Type.Union([Type.Literal("bits-12-13"), Type.Literal("bit-15")], {
      default: "bits-12-13",
      description: "what tells that a homing run has succeeded",
    }),
    modeShown: Type.Union([Type.Literal("in-force"), Type.Literal("may-be-stale")], {
      default: "in-force",
      description: "may-be-stale: the mode is written before each start that is not known to follow its like",
    }),
    modePauseMs: pause("rest after a change of mode"),
    startPauseMs: pause("rest between the last parameter and the start"),
    needsRemote: Type.Boolean({ default: false, description: "bit 9 of the statusword must be 1 to enable" }),
    targetsFromZero: Type.Boolean({ default: false, description: "absolute targets below 0 are refused" }),
  },
  { ...strict, default: {} },
);
export type Cia402Dialect = Static<typeof Cia402DialectSchema>;
