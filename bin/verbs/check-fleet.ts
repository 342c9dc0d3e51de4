import { type LinkBudget, linkBudgets } from "../link-budget.ts";
import { readFleetToStart } from "../start-checks.ts";
import { figure, type Output, table } from "./output.ts";

/** `check FILE`: the file, its profiles, and the bus time they need. Touches nothing. Exit code 1 when polls or stops do not fit. */
export async function checkFleet(file: string, out: Output): Promise<number> {
  const config = readFleetToStart(file, process.env);
  const links = linkBudgets(config, file);
  const fits = links.every((link) => link.fits);
  out.show({ file, valid: fits, box: config.box, links }, () => report(file, links));
  return fits ? 0 : 1;
}

function report(file: string, links: readonly LinkBudget[]): string {
  const share = (load: number) => `${Math.round(load * 1000) / 10} %`;
  const rows = links.map((link) => [
    link.link,
    String(link.axes),
    share(link.idleLoad),
    share(link.movingLoad),
    figure(link.stopBoundFirstMs, "ms"),
    figure(link.stopBoundLastMs, "ms"),
    [...link.refusals, ...(link.advice === null ? [] : [link.advice])].join("; "),
  ]);
  const verdict = links.every((link) => link.fits)
    ? "good"
    : "does not fit the bus: it would be read or stopped late; nothing was touched";
  return `${file}: ${verdict}\n\n${table(["LINK", "AXES", "POLLS IDLE", "POLLS MOVING", "STOP FIRST AXIS", "STOP LAST AXIS", "NOTE"], rows)}`;
}
