import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { complaintLine } from "@servofleet/runtime/fleet-file";
import { type Complaint, checkDocument } from "@servofleet/runtime/schema-complaints";
import { parse } from "yaml";
import { RigError } from "./rig-error.ts";
import type { Scenario, Step } from "./scenario.ts";
import { scenarioSchema } from "./scenario-schema.ts";

/** The scenarios that ship. */
export const SCENARIOS = join(import.meta.dirname, "scenarios");
const ENDING = ".yaml";

/** Reads every scenario of a directory, by name. @throws RigError `wrong-usage` with every complaint of every file at once */
export function readScenarios(directory: string = SCENARIOS): readonly Scenario[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .sort();
  const complaints: string[] = [];
  const scenarios = files.map((file) => {
    const read = parseScenario(readFileSync(join(directory, file), "utf8"), file);
    complaints.push(...read.complaints.map((complaint) => `${file}: ${complaintLine(complaint)}`));
    return read.scenario;
  });
  if (complaints.length > 0)
    throw new RigError(
      "wrong-usage",
      `scenarios that cannot be run:\n  ${complaints.join("\n  ")}`,
      { directory },
      "correct what is named; nothing was started",
    );
  return scenarios;
}

/** Checks one scenario; the value is only to be trusted when there are no complaints. */
export function parseScenario(text: string, file: string): { scenario: Scenario; complaints: readonly Complaint[] } {
  const name = basename(file, ENDING);
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    const found = String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
    return { scenario: { name } as Scenario, complaints: [{ path: "", found, allowed: "YAML", nearest: undefined }] };
  }
  const { value, complaints } = checkDocument(scenarioSchema, raw);
  const scenario = { name, ...(value as Omit<Scenario, "name">) };
  return { scenario, complaints: complaints.length > 0 ? complaints : nameComplaints(scenario) };
}

/** Commands and marks are named before they are spoken of, and a neighbour is only there when it was asked for. */
function nameComplaints({ steps, neighbour }: Scenario): readonly Complaint[] {
  const known = new Set<string>();
  const complaints: Complaint[] = [];
  for (const [n, step] of steps.entries()) {
    for (const [field, used] of namesUsed(step))
      if (!known.has(used))
        complaints.push({
          path: `steps[${n}].${field}`,
          found: used,
          allowed: `a name that an earlier step gave: ${[...known].join(", ") || "none yet"}`,
          nearest: undefined,
        });
    if (neighbour === "none" && "axis" in step && step.axis === "b")
      complaints.push({ path: `steps[${n}].axis`, found: "b", allowed: "a (or say `neighbour`)", nearest: undefined });
    const given = step.do === "command" ? step.as : step.do === "mark" ? step.name : undefined;
    if (given !== undefined) known.add(given);
  }
  return complaints;
}

function namesUsed(step: Step): readonly (readonly [string, string])[] {
  const fields = step as { command?: string; since?: string; nearMark?: string };
  const used = { command: fields.command, since: fields.since, nearMark: fields.nearMark };
  return Object.entries(used).flatMap(([field, value]) => (value === undefined ? [] : [[field, value] as const]));
}
