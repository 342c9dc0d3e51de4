import { rfc3339 } from "@servofleet/contracts";
import { HTML_STYLE } from "./html-style.ts";
import { durationText, escapedHtml } from "./html-text.ts";
import { type Outcome, type RigReport, type ScenarioResult, secondsBetween, tally } from "./rig-result.ts";
import { anchorOf, scenarioSection } from "./scenario-section.ts";

/** The whole report as one page: no script, no font, no picture from anywhere else. Failures come first. */
export function htmlReport(report: RigReport): string {
  const ran = report.results.filter(({ steps }) => steps.length > 0);
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`,
    `<title>${escapedHtml(report.title)}: ${verdictWords(report)}</title>`,
    `<style>${HTML_STYLE}</style></head><body>`,
    header(report),
    facts(report),
    matrix(report),
    ...failures(ran),
    ...families(report).flatMap((profile) => family(profile, report)),
    "<footer>The software stop is not a safety function. Curves are the samples that the box stored; gaps are times without an answer.</footer>",
    "</body></html>",
    "",
  ].join("\n");
}

/** What failed stands before everything else, whatever family it is of. */
function failures(ran: readonly ScenarioResult[]): readonly string[] {
  const failed = ran.filter(isFailed);
  return failed.length === 0 ? [] : ['<h2 class="family">Failed</h2>', ...failed.map(scenarioSection)];
}

const families = ({ results }: RigReport): readonly string[] => [...new Set(results.map(({ profile }) => profile))];

function family(profile: string, { results }: RigReport): readonly string[] {
  const own = results.filter((result) => result.profile === profile);
  const shown = own.filter((result) => result.steps.length > 0 && !isFailed(result));
  if (shown.length === 0) return [];
  const count = tally(own);
  const words = OUTCOMES.filter((outcome) => count[outcome] > 0).map((outcome) => `${count[outcome]} ${outcome}`);
  const head = `<h2 class="family">${escapedHtml(profile)}<span class="quiet num">${words.join(" · ")}</span></h2>`;
  return [head, ...shown.map(scenarioSection)];
}

const OUTCOMES = ["passed", "failed", "skipped", "refused"] as const;
const isFailed = ({ outcome }: ScenarioResult): boolean => outcome === "failed";

function verdictWords(report: RigReport): string {
  const { failed, passed } = tally(report.results);
  return `${failed === 0 ? "all" : ""} ${passed} passed${failed > 0 ? `, ${failed} failed` : ""}`.trim();
}

function header(report: RigReport): string {
  const count = tally(report.results);
  const figures = OUTCOMES.filter((outcome) => outcome === "passed" || count[outcome] > 0);
  const when = rfc3339(report.fromUs).slice(0, 19).replace("T", " ");
  const time = durationText(secondsBetween(report.fromUs, report.toUs));
  const cut = report.interrupted ? " · <b>interrupted</b>" : "";
  return [
    `<header><div><h1>${escapedHtml(report.title)}</h1>`,
    `<p class="quiet num">rig ${escapedHtml(report.rig)} · ${when} UTC · ${time}${cut}</p></div>`,
    `<div class="verdict">${figures.map((outcome) => `<div class="${outcome}"><b>${count[outcome]}</b><span class="quiet">${outcome}</span></div>`).join("")}</div></header>`,
  ].join("\n");
}

function facts(report: RigReport): string {
  const list = (entries: Readonly<Record<string, string | number>>) =>
    `<dl>${Object.entries(entries)
      .map(([name, value]) => `<dt>${escapedHtml(name)}</dt><dd>${escapedHtml(String(value))}</dd>`)
      .join("")}</dl>`;
  const axes = Object.fromEntries(
    report.axes.map(({ id, link, unit, profile }) => [id, `${profile}, unit ${unit} on ${link}`]),
  );
  const links = Object.fromEntries(
    report.links.map(({ id, kind, place }) => [id, place === "simulated" ? `${kind}, simulated` : `${kind}, ${place}`]),
  );
  const box = {
    ...report.versions,
    gateway: report.gateway,
    permitted: report.permit.join(", ") || "simulated drives only",
  };
  return [
    '<section class="card facts">',
    `<div><h3>Axes</h3>${list(axes)}</div><div><h3>Links</h3>${list(links)}</div>`,
    `<div><h3>Machine</h3>${list(report.machine)}</div><div><h3>Versions</h3>${list(box)}</div>`,
    "</section>",
  ].join("\n");
}

/** Scenarios down, profiles across: one look tells what holds where. */
function matrix(report: RigReport): string {
  const { results } = report;
  const profiles = families(report);
  const names = [...new Set(results.map(({ scenario }) => scenario))];
  const rows = names.map((name) => {
    const own = results.filter(({ scenario }) => scenario === name);
    const cells = profiles.map((profile) => cell(own.find((result) => result.profile === profile)));
    return `<tr><td>${escapedHtml(own[0]?.title ?? name)}</td>${cells.join("")}</tr>`;
  });
  const head = profiles.map((profile) => `<th>${escapedHtml(profile).replaceAll("-", "-<wbr>")}</th>`).join("");
  return `<section class="card matrix"><table><thead><tr><th>Scenario</th>${head}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table></section>`;
}

function cell(result: ScenarioResult | undefined): string {
  if (!result) return '<td class="cell quiet">not reached</td>';
  const word = `<span class="word ${result.outcome}" title="${escapedHtml(result.reason)}">${WORDS[result.outcome]}</span>`;
  if (result.steps.length === 0) return `<td class="cell">${word}</td>`;
  const time = `<span class="quiet num"> ${secondsBetween(result.fromUs, result.toUs).toFixed(1)} s</span>`;
  return `<td class="cell"><a href="#${anchorOf(result)}">${word}${time}</a></td>`;
}
const WORDS: Readonly<Record<Outcome, string>> = {
  passed: "passed",
  failed: "failed",
  skipped: "skipped",
  refused: "refused",
};
