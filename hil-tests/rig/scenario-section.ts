import type { CommandView } from "@servofleet/contracts";
import { curvePicture, hasCurve } from "./curve-picture.ts";
import { curveSpark } from "./curve-spark.ts";
import { durationText, escapedHtml, spacedHex } from "./html-text.ts";
import { type ScenarioResult, type StepResult, secondsBetween } from "./rig-result.ts";

/** Commands that a reader of a failure wants to see the bytes of. */
const AMISS = ["failed", "indeterminate", "expired"];

/** Address of a scenario inside the page. */
export const anchorOf = ({ profile, scenario }: ScenarioResult): string =>
  `${profile}--${scenario}`.replace(/[^a-zA-Z0-9_-]/g, "-");

/** One scenario: one line that unfolds to its curves, its steps beside them and its commands below. What failed is open. */
export function scenarioSection(result: ScenarioResult): string {
  const { title, why, axes, outcome, reason, steps, curves, commands } = result;
  const failed = outcome === "failed";
  const time = durationText(secondsBetween(result.fromUs, result.toUs));
  const spark = curves.map(curveSpark).find((svg) => svg !== "") ?? "";
  const drawn = curves.filter(hasCurve);
  return [
    `<details class="card scenario ${outcome}"${failed ? " open" : ""}>`,
    `<summary><span class="title">${escapedHtml(title)}</span>${spark}<span class="word ${outcome}">${outcome}</span>`,
    `<span class="who quiet">${escapedHtml(axes.join(" and "))}</span><span class="time quiet num">${time}</span></summary>`,
    `<section id="${anchorOf(result)}">`,
    why === "-" ? "" : `<p class="why">${escapedHtml(why)}</p>`,
    failed ? `<p class="reason">${escapedHtml(reason)}</p>` : "",
    '<div class="body"><div>',
    ...drawn.map((curve) => {
      const legend = '<span class="legend measured"></span>measured<span class="legend"></span>target';
      return `<figure><figcaption><b>${escapedHtml(curve.axis)}</b>${legend}</figcaption>${curvePicture(curve, result)}</figure>`;
    }),
    drawn.length === 0 ? '<p class="quiet">Nothing was read from the drive in this time.</p>' : "",
    `</div><div><ol class="steps">${steps.map(stepItem).join("")}</ol></div></div>`,
    commandDetails(commands, failed),
    "</section></details>",
  ].join("\n");
}

function stepItem({ words, outcome, fromUs, toUs }: StepResult): string {
  const time = outcome === "not-run" ? "not run" : `${Math.round((toUs - fromUs) / 1000)} ms`;
  return `<li class="${outcome}"><span>${escapedHtml(words)}</span><span class="quiet num">${time}</span></li>`;
}

function commandDetails(commands: readonly CommandView[], open: boolean): string {
  if (commands.length === 0) return "";
  const rows = commands.map(
    ({ type, axis, state, transitions, problem, request }) =>
      `<tr><td>${escapedHtml(axis)}</td><td>${type} ${escapedHtml(requestWords(request))}</td><td>${state}</td><td>${escapedHtml(problem?.detail ?? "")}</td><td class="num">${transitions[0]?.at.slice(11, 23) ?? ""}</td></tr>`,
  );
  const amiss = commands.filter(({ state, frames }) => AMISS.includes(state) && frames.length > 0);
  return [
    `<details class="commands"${open ? " open" : ""}><summary>${commands.length === 1 ? "1 command" : `${commands.length} commands`}${amiss.length > 0 ? ", with the frames of what went amiss" : ""}</summary>`,
    `<table><thead><tr><th>axis</th><th>command</th><th>ended</th><th>problem</th><th>accepted, UTC</th></tr></thead><tbody>${rows.join("")}</tbody></table>`,
    ...amiss.map(frameBlock),
    "</details>",
  ].join("\n");
}

function frameBlock({ type, axis, frames }: CommandView): string {
  const lines = frames.map(({ direction, at, hex }) => `<b>${direction} ${at.slice(11, 26)}</b>  ${spacedHex(hex)}`);
  return `<p class="quiet">${type} on ${escapedHtml(axis)}, on the wire</p><div class="frames">${lines.join("\n")}</div>`;
}

const requestWords = (request: Readonly<Record<string, unknown>>): string =>
  Object.entries(request)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ");
