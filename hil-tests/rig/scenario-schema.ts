import { COMMAND_TYPES, PROBLEMS } from "@servofleet/contracts";
import { amountSchema } from "./amount.ts";
import { NEEDS } from "./scenario.ts";

// The part of JSON Schema that `checkDocument` reads; `do` tells the steps apart.
const role = { enum: ["a", "b"], default: "a" };
const text = { type: "string", minLength: 1 };
const flag = { type: "boolean" };
const name = { type: "string", pattern: "^[a-z][a-zA-Z0-9-]{0,31}$" };
const words = { type: "string", pattern: "^[a-z-]+( ?\\| ?[a-z-]+)*$", description: "words joined by |" };
const slugs = { ...words, description: `one or more of ${Object.keys(PROBLEMS).join(", ")}, joined by |` };
const ms = (fallback: number) => ({ type: "integer", minimum: 1, maximum: 120_000, default: fallback });
const whole = { type: "integer", minimum: 0, maximum: 1_000_000 };

const condition = {
  axis: role,
  state: words,
  stopLatched: flag,
  homed: flag,
  reconcileRequired: flag,
  fault: flag,
  quality: words,
  near: amountSchema,
  nearMark: name,
  plus: amountSchema,
  by: amountSchema,
  moving: flag,
  link: { enum: ["up", "down"] },
  driveMoving: flag,
  driveEnabled: flag,
  driveAlarm: flag,
  command: name,
  commandState: words,
  problem: slugs,
  settled: flag,
};

const step = (verb: string, properties: Record<string, object>, required: readonly string[] = []) => ({
  type: "object",
  properties: { do: { const: verb }, ...properties },
  required: ["do", ...required],
});

const command = step(
  "command",
  {
    axis: role,
    type: { enum: COMMAND_TYPES },
    position: amountSchema,
    distance: amountSchema,
    velocity: amountSchema,
    acceleration: amountSchema,
    deceleration: amountSchema,
    parameter: text,
    value: { type: "number" },
    ttlMs: { type: "integer" },
    as: name,
    refused: slugs,
    key: name,
    replayed: flag,
    version: { enum: ["current", "stale"] },
  },
  ["type"],
);

const fault = step(
  "fault",
  {
    axis: role,
    at: { enum: ["drive", "link"], default: "drive" },
    kind: { type: "string", pattern: "^[a-z][a-z-]{0,39}$" },
    times: whole,
    on: { enum: ["any", "reads", "writes"] },
    execute: flag,
    delayMs: whole,
    count: whole,
    code: whole,
    unit: whole,
    blocked: flag,
    dead: flag,
    counts: { type: "number" },
    value: { type: "number" },
    hex: text,
  },
  ["kind"],
);

const record = step(
  "record",
  {
    axis: role,
    since: name,
    after: words,
    kind: { type: "string", pattern: "^[a-z][a-z-]{0,39}( ?\\| ?[a-z-]+)*$" },
    obeyed: flag,
    times: whole,
    atLeast: whole,
    atMost: whole,
    first: flag,
  },
  ["since", "kind"],
);

const stepSchema = {
  anyOf: [
    command,
    step("stop", {
      axis: role,
      what: { enum: ["axis", "group", "link", "all"], default: "axis" },
      result: { ...words, default: "acknowledged" },
    }),
    step("cancel", { command: name, refused: slugs }, ["command"]),
    step("reconcile", { axis: role, decision: { enum: ["adopt", "abandon"], default: "abandon" }, refused: slugs }),
    step("ready", { axis: role }),
    fault,
    step(
      "process",
      {
        service: { enum: ["controller", "bridge", "gateway", "dashboard"] },
        signal: { enum: ["SIGKILL", "SIGSTOP", "SIGCONT"], default: "SIGKILL" },
      },
      ["service"],
    ),
    step("mark", { name }, ["name"]),
    record,
    step("until", { ...condition, withinMs: ms(15_000) }),
    step("expect", condition),
    step("stays", { ...condition, forMs: ms(500) }),
    step("unmoved", { axis: role, since: name, by: { ...amountSchema, default: "0.1%" } }, ["since"]),
  ],
};

/** The shape of `scenarios/*.yaml`; the name is the file's. */
export const scenarioSchema = {
  type: "object",
  properties: {
    title: text,
    why: { ...text, default: "-" },
    needs: { type: "array", items: { enum: [...NEEDS] }, maxItems: 16, default: [] },
    profiles: { type: "array", items: text, maxItems: 32, default: [] },
    neighbour: { enum: ["none", "any", "same-link", "other-link"], default: "none" },
    start: { enum: ["ready", "enabled", "disabled", "as-is"], default: "ready" },
    steps: { type: "array", items: stepSchema, minItems: 1, maxItems: 60 },
  },
  required: ["title", "steps"],
};
