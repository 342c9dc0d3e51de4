import { PARAMETER_VALUES_MAX } from "@servofleet/contracts";
import Type, { type Static } from "typebox";
import { Cia402DialectSchema } from "./cia402-dialect.ts";
import { ServoDialectSchema } from "./servo-dialect.ts";

/** Where a fact comes from: [M] manual, [C] public source code, [F] measured by a user, [I] inferred (off unless switched on). */
const SOURCE = "manual and section, with its mark: [M] manual, [C] public source, [F] field measurement, [I] inferred";
const strict = { additionalProperties: false } as const;
const Address = Type.String({ pattern: "^0x[0-9A-Fa-f]{4}$", description: "protocol address, zero based, as 0x6041" });
const Name = Type.String({ pattern: "^[a-z][A-Za-z0-9]{0,47}$", description: "name of a register of this profile" });
const positive = (description: string) => Type.Number({ exclusiveMinimum: 0, description });
const ms = (preset: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 600_000, default: preset, description });

const RegisterType = Type.Union([
  Type.Literal("u8"),
  Type.Literal("i8"),
  Type.Literal("u16"),
  Type.Literal("i16"),
  Type.Literal("u32"),
  Type.Literal("i32"),
  /** Sign and magnitude in 16 bits, sign in bit 15 or in bit 10 (Feetech); only where `telegram` is `bytes`. */
  Type.Literal("s16"),
  Type.Literal("s11"),
]);
export const RegisterSchema = Type.Object(
  {
    address: Address,
    type: RegisterType,
    words: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)]),
    subindex: Type.Optional(Type.Integer({ minimum: 0, maximum: 255, description: "of an object; 0 when absent" })),
    access: Type.Union([Type.Literal("ro"), Type.Literal("rw"), Type.Literal("wo")]),
    scale: Type.Number({ default: 1, description: "physical value of one raw step" }),
    unit: Type.String({ maxLength: 32, default: "" }),
    /** A fact that is only believed when `inferred.<name>.enabled` says so. */
    inferred: Type.Optional(Type.String({ description: "name under `inferred` that must be enabled first" })),
    source: Type.String({ minLength: 1, maxLength: 200, description: SOURCE }),
  },
  strict,
);

/** Checked as a table: each entry against its own schema, with the entry's name in the path. */
export const TABLES = {
  registers: RegisterSchema,
  faults: Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 120 }),
      remedy: Type.String({ minLength: 1, maxLength: 500 }),
      clear: Type.Union([Type.Literal("reset"), Type.Literal("power-cycle")], { default: "reset" }),
    },
    strict,
  ),
  parameters: Type.Object(
    {
      register: Name,
      min: Type.Number(),
      max: Type.Number(),
      count: Type.Optional(
        Type.Integer({
          minimum: 2,
          maximum: PARAMETER_VALUES_MAX,
          description:
            "a row of so many values: the register and its neighbours of the same type, written by one request",
        }),
      ),
    },
    strict,
  ),
  inferred: Type.Object(
    {
      enabled: Type.Boolean({ default: false }),
      what: Type.String({ minLength: 1, maxLength: 300 }),
      source: Type.String({ minLength: 1, maxLength: 200 }),
    },
    strict,
  ),
  homingMethods: Type.Integer({ minimum: -128, maximum: 0xffff }),
} as const;

const table = (entry: object, pattern: string) =>
  Type.Unsafe<Record<string, unknown>>({
    type: "object",
    patternProperties: { [pattern]: entry },
    additionalProperties: false,
  });
const Blocks = Type.Array(Type.Array(Name, { minItems: 1, maxItems: 16 }), { maxItems: 16, default: [] });

/** Everything of a profile but its tables. */
export const PROFILE_HEAD = {
  name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,63}$" }),
  title: Type.String({ minLength: 1, maxLength: 200 }),
  source: Type.String({ minLength: 1, maxLength: 500, description: "manuals the profile was made from" }),
  handshake: Type.Union([
    Type.Literal("path-table"),
    Type.Literal("cia402-registers"),
    Type.Literal("direct-data"),
    Type.Literal("register-servo"),
  ]),
  /**
   * `objects`: each access is one telegram of function 43 with the object's exact size (igus dryve D1). `bytes`: addresses
   * and `words` count bytes, `functions` are the instructions of a servo bus: 2 (read), 3 (write), and where the drive
   * has them 130 (sync read), 131 (sync write) and 146 (bulk read).
   */
  telegram: Type.Union([Type.Literal("registers"), Type.Literal("objects"), Type.Literal("bytes")], {
    default: "registers",
  }),
  cia402: Cia402DialectSchema,
  servo: ServoDialectSchema,
  wordOrder: Type.Union([Type.Literal("high-first"), Type.Literal("low-first")]),
  functions: Type.Array(Type.Integer({ minimum: 1, maximum: 255 }), { minItems: 1, maxItems: 16 }),
  registersMax: Type.Integer({ minimum: 1, maximum: 123, description: "most registers in one request" }),
  /** Read at attach; a drive that answers otherwise is not driven. */
  identity: Type.Object(
    { register: Name, min: Type.Number(), max: Type.Number(), means: Type.String({ maxLength: 200 }) },
    strict,
  ),
  /** Counts of one turn, for drives that speak rpm: read from the register at attach. */
  countsPerRevolution: Type.Optional(Type.Object({ register: Name }, strict)),
  motion: Type.Object(
    {
      velocity: Type.Object(
        {
          unit: Type.Union([Type.Literal("rpm"), Type.Literal("counts/s")]),
          scale: positive("counts/s of one step, for counts/s; for rpm, rpm of one step"),
          min: Type.Integer({ minimum: 1, description: "least value the drive takes, raw" }),
          max: Type.Integer({ minimum: 1, description: "greatest value the drive takes, raw" }),
        },
        strict,
      ),
      ramp: Type.Object(
        {
          unit: Type.Union([Type.Literal("ms-per-1000rpm"), Type.Literal("counts/s2")]),
          scale: positive("counts/s2 of one step, for counts/s2; ms of one step for ms-per-1000rpm"),
          min: Type.Integer({ minimum: 1 }),
          max: Type.Integer({ minimum: 1 }),
        },
        strict,
      ),
      assumption: Type.Union([Type.String({ maxLength: 300 }), Type.Null()], { default: null }),
    },
    strict,
  ),
  /** Block reads by name. `status` on each poll, `order` while an order is under way, one of `rotating` on each poll, `fault` in fault. */
  plan: Type.Object({ status: Blocks, order: Blocks, rotating: Blocks, fault: Blocks }, strict),
  settle: Type.Object(
    {
      positionWindowCounts: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
      reads: Type.Integer({ minimum: 1, maximum: 20, default: 2 }),
      stillCountsPerS: Type.Number({ minimum: 0, description: "slower than this is standstill" }),
    },
    strict,
  ),
  homing: Type.Object(
    {
      slowShare: Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.25,
        description: "creep speed / search speed",
      }),
      offset: Type.Boolean({ description: "the drive can show an offset at the home switch" }),
    },
    strict,
  ),
  faultDefault: Type.Object({ name: Type.String({ maxLength: 120 }), remedy: Type.String({ maxLength: 500 }) }, strict),
  commLoss: Type.Object(
    {
      supported: Type.Boolean(),
      where: Type.Union([Type.String({ maxLength: 100 }), Type.Null()]),
      reaction: Type.String({ minLength: 1, maxLength: 200 }),
      latched: Type.Boolean(),
      clear: Type.Union([Type.String({ maxLength: 200 }), Type.Null()]),
    },
    strict,
  ),
  timeouts: Type.Object(
    {
      acceptMs: ms(500, "a start is taken by the drive"),
      startMs: ms(1500, "motion or its end is seen after a start was taken"),
      stateMs: ms(2000, "enable, disable and reset show in the status"),
      modeMs: ms(5000, "a mode change is in force"),
      standstillMs: ms(10_000, "a halt has brought the axis to rest"),
      settleMs: ms(2000, "in position after the drive has finished"),
      homeMs: ms(120_000, "a homing run"),
      stepMs: ms(5, "between two looks at a bit that is waited for"),
    },
    { ...strict, default: {} },
  ),
  quirks: Type.Object(
    {
      /** `unknown`: stop first, then move. `interrupts`: set, a new path takes over. `clear-takes-over`: clear, it does. */
      insBit: Type.Optional(
        Type.Union([Type.Literal("unknown"), Type.Literal("interrupts"), Type.Literal("clear-takes-over")]),
      ),
      stopReadbackSticks: Type.Optional(Type.Boolean()),
      exception08OnCrc: Type.Optional(Type.Boolean()),
      /** The drive forgets homing unseen: the bridge remembers it since the last power-up it saw. */
      homedRemembered: Type.Optional(Type.Boolean()),
      /** One read may span several blocks and the registers between them, refused holes excepted: they are learned. */
      readsAcrossHoles: Type.Optional(Type.Boolean()),
    },
    { ...strict, default: {} },
  ),
} as const;

/** As shipped in `profiles/profile.schema.json`. */
export const ProfileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    ...PROFILE_HEAD,
    registers: table(TABLES.registers, "^[a-z][A-Za-z0-9]{0,47}$"),
    faults: table(TABLES.faults, "^0x[0-9A-Fa-f]{4}$"),
    parameters: table(TABLES.parameters, "^[a-z][A-Za-z0-9]{0,47}$"),
    inferred: table(TABLES.inferred, "^[a-z][A-Za-z0-9]{0,47}$"),
    homingMethods: table(TABLES.homingMethods, "^-?[0-9]{1,3}$"),
  },
  { ...strict, $id: "profile.schema.json", title: "Servofleet drive profile" },
);

const HeadSchema = Type.Object(PROFILE_HEAD);
export type RegisterFact = Static<typeof RegisterSchema>;
export type FaultFact = Static<typeof TABLES.faults>;
export type ParameterFact = Static<typeof TABLES.parameters>;
export type InferredFact = Static<typeof TABLES.inferred>;
/** A drive as a table: what a checked profile file says. */
export type ProfileData = Static<typeof HeadSchema> & {
  readonly registers: Readonly<Record<string, RegisterFact>>;
  readonly faults: Readonly<Record<string, FaultFact>>;
  readonly parameters: Readonly<Record<string, ParameterFact>>;
  readonly inferred: Readonly<Record<string, InferredFact>>;
  /** CiA 402 homing method to the drive's own word for it. */
  readonly homingMethods: Readonly<Record<string, number>>;
};
