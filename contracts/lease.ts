import Type, { type Static } from "typebox";

/** What happens to the leased axes when their holder is not heard any more. A halt is not latched, a stop is. */
export const ON_LAPSE = ["alarm", "halt", "stop", "disable"] as const;
export type OnLapse = (typeof ON_LAPSE)[number];

/** A holder that renews at a third of this is safe from one lost message. */
export const LEASE_TTL_DEFAULT_MS = 10_000;
export const LEASE_TTL_MIN_MS = 500;
export const LEASE_TTL_MAX_MS = 600_000;
/** The window of hold-to-run: without a beat for so long the axis is halted, ms. */
export const JOG_WINDOW_MS = 250;
/** How often a client beats, at least, ms. */
export const JOG_BEAT_MS = 100;

const strict = { additionalProperties: false } as const;
const terms = {
  ttlMs: Type.Optional(
    Type.Integer({
      minimum: LEASE_TTL_MIN_MS,
      maximum: LEASE_TTL_MAX_MS,
      description: `default ${LEASE_TTL_DEFAULT_MS}`,
    }),
  ),
  onLapse: Type.Optional(Type.Unsafe<OnLapse>(Type.String({ enum: [...ON_LAPSE], description: "default halt" }))),
  purpose: Type.Optional(Type.String({ maxLength: 200 })),
};

/** `POST /v1/leases`: axes, or a group, or both. */
export const LeaseRequestSchema = Type.Object(
  {
    axes: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 256 })),
    group: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    ...terms,
  },
  strict,
);
export type LeaseRequest = Static<typeof LeaseRequestSchema>;

/** `POST /v1/leases/{id}/take`: the reason is recorded. */
export const TakeRequestSchema = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 200 }), ...terms },
  strict,
);
export type TakeRequest = Static<typeof TakeRequestSchema>;

/** Control over some axes, as anybody may see it. */
export interface LeaseView {
  readonly id: string;
  readonly axes: readonly string[];
  readonly principal: string;
  readonly purpose: string;
  readonly ttlMs: number;
  readonly onLapse: OnLapse;
  readonly since: string;
  readonly remainingMs: number;
}

/** What the holder alone is told: the value of its `Lease-Token` header. */
export interface GrantedLeaseView extends LeaseView {
  readonly token: string;
}

/** `POST /v1/axes/{axis}/jog`. Direction in the axis's own unit: 1 counts up. */
export const JogRequestSchema = Type.Object(
  {
    direction: Type.Union([Type.Literal(1), Type.Literal(-1)]),
    velocity: Type.Number({ exclusiveMinimum: 0, description: "units/s" }),
  },
  strict,
);
export type JogRequest = Static<typeof JogRequestSchema>;

/** `PUT /v1/jog/{session}`: the number of the beat, and the challenge that the last answer gave. */
export const JogBeatSchema = Type.Object(
  { seq: Type.Integer({ minimum: 1 }), challenge: Type.String({ minLength: 1, maxLength: 64 }) },
  strict,
);
export type JogBeat = Static<typeof JogBeatSchema>;

/** A hold-to-run session: answered when it opens and at every beat. */
export interface JogView {
  readonly id: string;
  readonly axis: string;
  readonly commandId: string;
  readonly direction: 1 | -1;
  readonly velocity: number;
  /** The soft limit it runs towards, display units. */
  readonly target: number;
  readonly windowMs: number;
  readonly beatMs: number;
  /** Of the last beat; the next one must be greater. */
  readonly seq: number;
  /** To be given with the next beat. */
  readonly challenge: string;
}
