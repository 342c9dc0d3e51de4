import type { Condition, Step } from "./scenario.ts";

const CONDITION_VERBS = { until: "until", expect: "expect", stays: "stays" } as const;

/** A step as one line for a person: what the report and a failure show. */
export function stepWords(step: Step): string {
  switch (step.do) {
    case "command":
      return `${step.axis}: ${step.type}${fields(step, ["position", "distance", "velocity", "acceleration", "parameter", "value", "ttlMs", "version"])}${step.refused ? `, refused as ${step.refused}` : ""}${step.replayed ? ", replayed" : ""}${step.as ? ` (${step.as})` : ""}`;
    case "stop":
      return `${step.axis}: stop ${step.what}, ${step.result}`;
    case "cancel":
      return `cancel ${step.command}${step.refused ? `, refused as ${step.refused}` : ""}`;
    case "reconcile":
      return `${step.axis}: reconcile, ${step.decision}`;
    case "ready":
      return `${step.axis}: made ready`;
    case "fault":
      return `${step.axis}: ${step.kind} on its ${step.at}${fields(step, ["times", "on", "delayMs", "count", "code", "counts", "blocked", "dead", "execute", "value"])}`;
    case "process":
      return `${step.signal} to the ${step.service}`;
    case "mark":
      return `mark ${step.name}`;
    case "record":
      return `${step.axis}: since ${step.since}${step.after ? `, after its ${step.after}` : ""} the drive heard ${step.kind} ${howOften(step)}`;
    case "until":
    case "expect":
    case "stays":
      return `${CONDITION_VERBS[step.do]} ${conditionWords(step)}${step.do === "stays" ? ` for ${step.forMs} ms` : ""}`;
    case "unmoved":
      return `${step.axis}: has not moved since ${step.since}`;
    default:
      return step satisfies never;
  }
}

function howOften(step: Extract<Step, { do: "record" }>): string {
  if (step.first) return "first of all";
  if (step.atLeast !== undefined) return `at least ${step.atLeast} times`;
  if (step.atMost !== undefined) return `at most ${step.atMost} times`;
  return step.times === 0 ? "never" : step.times === 1 || step.times === undefined ? "once" : `${step.times} times`;
}

/** The words of a condition in the order of the file. */
export function conditionWords(condition: Condition): string {
  const parts = Object.entries(condition).flatMap(([name, value]) => {
    if (["do", "axis", "withinMs", "forMs", "command"].includes(name)) return [];
    if (value === true) return [name];
    return value === false ? [`not ${name}`] : [`${name} ${String(value)}`];
  });
  return `${condition.command ?? condition.axis}: ${parts.join(", ")}`;
}

function fields(step: object, names: readonly string[]): string {
  const given = Object.entries(step).filter(([name]) => names.includes(name));
  return given.map(([name, value]) => ` ${name} ${String(value)}`).join("");
}
