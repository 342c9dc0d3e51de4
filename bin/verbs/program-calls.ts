import { readFileSync } from "node:fs";
import type { DryRunView, Page, ProgramView } from "@servofleet/contracts";
import { parse } from "yaml";
import { FAILED, UsageError } from "../exit.ts";
import { call, RefusedError, type Target } from "./api-client.ts";
import { abnormal, type Output, table } from "./output.ts";
import { took } from "./run-lines.ts";

const path = (name: string, ...rest: readonly string[]): string =>
  ["/v1/programs", encodeURIComponent(name), ...rest].join("/");

/** `program add FILE`: YAML or JSON. */
export async function addProgram(target: Target, out: Output, file: string): Promise<number> {
  const body = documentIn(file);
  try {
    const answer = await call<ProgramView>(target, "POST", "/v1/programs", { body });
    const { name, version } = answer.body;
    const news = answer.status === 201 ? `is defined as version ${version}` : `is what it was, version ${version}`;
    out.show(answer.body, () => `${name} ${news}\n  servofleet program dry-run ${name}`);
    return 0;
  } catch (error) {
    // A document may be wrong in many places: all of them, at once.
    if (error instanceof RefusedError && !out.json)
      for (const { pointer, detail } of error.facts.errors.slice(1)) out.note(`${pointer}: ${detail}`);
    throw error;
  }
}

function documentIn(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file} cannot be read: ${cause}`, { file, cause }, "name a program in YAML or JSON");
  }
}

/** `program list`. */
export async function listPrograms(target: Target, out: Output): Promise<number> {
  const { body } = await call<Page<ProgramView>>(target, "GET", "/v1/programs");
  const rows = body.items.map(({ name, version, axes, armed, program }) => [
    name,
    String(version),
    axes.join(","),
    String(program.steps.length),
    program.triggers.length === 0 ? "-" : armed ? "armed" : "not armed",
  ]);
  out.show(body, () => table(["program", "version", "axes", "steps", "triggers"], rows));
  return 0;
}

/** `program dry-run NAME`: exit code 1 when something would keep a run back. */
export async function dryRunProgram(target: Target, out: Output, name: string): Promise<number> {
  const { body } = await call<DryRunView>(target, "POST", path(name, "dry-run"));
  out.show(body, () => dryRunLines(body));
  return body.ok ? 0 : FAILED;
}

function dryRunLines({ program, version, ok, axes, steps, estimateMs, links }: DryRunView): string {
  return [
    `${program} v${version}: ${ok ? "nothing would keep it back" : abnormal("would not go through")}, motion about ${took(estimateMs)}`,
    ...axes.map(({ axis, problem }) => `${axis}: ${problem.detail}; ${problem.remedy}`),
    table(
      ["step", "kind", "axis", "command", "about", "deadline", "undo", "problem"],
      steps.map((step) => [
        step.step,
        step.kind,
        step.axis ?? "-",
        step.command ?? "-",
        took(step.estimateMs),
        took(step.deadlineMs),
        step.compensation,
        step.problem ? abnormal(step.problem.detail) : "-",
      ]),
    ),
    ...links.map(({ link, axesAtOnce, pollsPerS }) => `${link}: ${axesAtOnce} axes at once, ${pollsPerS} polls/s`),
  ].join("\n");
}

/** `program arm NAME`, `program disarm NAME`. */
export async function armProgram(target: Target, out: Output, name: string, what: "arm" | "disarm"): Promise<number> {
  const { body } = await call<ProgramView>(target, "POST", path(name, what));
  out.show(body, () => `${name}: its triggers are ${body.armed ? "armed" : "not armed"}`);
  return 0;
}
