import type { AxisView } from "@servofleet/contracts";
import { abnormal, age, figure, table } from "./output.ts";

const HEAD = ["AXIS", "STATE", "POSITION", "TARGET", "VELOCITY", "AGE", "NOTE"];

/** The fleet as a table for a person; whatever is not as it should be stands in the last column. */
export const axisTable = (axes: readonly AxisView[]): string => table(HEAD, axes.map(axisRow));

/** One axis on one line, without its age: the same line means that nothing has changed. */
export function axisLine(axis: AxisView): string {
  const { unitName, measured, commanded } = axis;
  const target = commanded === null ? "" : ` -> ${figure(commanded.position, unitName)}`;
  const words = notes(axis).join("; ");
  return `${axis.id}  ${axis.state}  ${figure(measured.position, unitName)}${target}${words ? `  ${words}` : ""}`;
}

function axisRow(axis: AxisView): string[] {
  const { measured } = axis;
  return [
    axis.id,
    axis.state === "error-stop" || axis.state === "offline" ? abnormal(axis.state) : axis.state,
    figure(measured.position, axis.unitName),
    figure(axis.commanded?.position, axis.unitName),
    figure(measured.velocity, `${axis.unitName}/s`),
    age(measured.ageMs),
    notes(axis).map(abnormal).join("; "),
  ];
}

function notes(axis: AxisView): string[] {
  return [
    axis.fault ? `${axis.fault.name} (${axis.fault.code}): ${axis.fault.remedy}` : "",
    axis.stopLatched ? "stop latched: reset it" : "",
    axis.reconcileRequired ? "reconcile required" : "",
    axis.homed ? "" : "not homed",
    axis.quality === "good" ? "" : `values are ${axis.quality}`,
  ].filter((note) => note !== "");
}
