import Type, { type Static } from "typebox";

const strict = { additionalProperties: false } as const;
const Name = Type.String({ pattern: "^[a-z][A-Za-z0-9]{0,47}$", description: "name of a register of this profile" });
const Bits = Type.Object(
  { register: Name, mask: Type.Integer({ minimum: 1, maximum: 0xffff, description: "any of these bits set: yes" }) },
  strict,
);

/**
 * How a register servo is spoken to: torque on and off, a goal, and bits that say what became of it. Everything that is
 * absent the drive does not have.
 */
export const ServoDialectSchema = Type.Optional(
  Type.Object(
    {
      /** Writes of one move in their order; the last one holds `goalPosition` and starts it. */
      motion: Type.Array(Type.Array(Name, { minItems: 1, maxItems: 8 }), { minItems: 1, maxItems: 4 }),
      /** Values read at attach without which the profile's conversions would be wrong; another value is refused. */
      expects: Type.Array(
        Type.Object({ register: Name, value: Type.Integer(), means: Type.String({ maxLength: 200 }) }, strict),
        { maxItems: 8, default: [] },
      ),
      moving: Bits,
      inPosition: Type.Optional(Bits),
      fault: Type.Optional(Bits),
      /** Command that clears a fault which switching the torque off does not. */
      reset: Type.Optional(Type.Object({ register: Name, value: Type.Integer() }, strict)),
      /** Set when torque is switched on: the drive stops by itself after so long without a telegram. */
      watchdog: Type.Optional(
        Type.Object(
          {
            register: Name,
            ms: Type.Integer({
              minimum: 1,
              maximum: 60_000,
              description:
                "longer than poll.idleMs, and than three times stopWaitMaxMs: a lost answer is followed by silence",
            }),
            stepMs: Type.Number({ exclusiveMinimum: 0 }),
            tripped: Type.Integer({ description: "raw value that reads back once it has stopped the drive" }),
          },
          strict,
        ),
      ),
      /** The encoder knows the position at power-up: there is nothing to home, and the axis is homed at once. */
      absolute: Type.Boolean({ default: false }),
    },
    strict,
  ),
);
export type ServoDialect = NonNullable<Static<typeof ServoDialectSchema>>;

/** Fault code of a watchdog that has stopped the drive; the drive's own codes are bits of one byte. */
export const WATCHDOG_FAULT = 0x0100;
