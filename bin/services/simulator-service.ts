import type { Complaint } from "@servofleet/runtime/schema-complaints";
import { UsageError } from "../exit.ts";

/** `servofleet sim`: loaded only here, so that a plant's box never runs a line of it by accident. @throws UsageError for a wrong file */
export async function runSimulators(linksFile: string): Promise<void> {
  const { readLinksFile } = await import("@servofleet/hil-tests/sim/links-file");
  const { SimError } = await import("@servofleet/hil-tests/sim/sim-error");
  const { complaintLine } = await import("@servofleet/runtime/fleet-file");
  try {
    readLinksFile(linksFile);
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    const { complaints, cause, twice } = error.facts as { complaints?: Complaint[]; cause?: string; twice?: string[] };
    const lines = [...(complaints ?? []).map(complaintLine), ...(twice ?? []).map((name) => `${name}: used twice`)];
    const what = [`${linksFile}: ${cause ?? "cannot be simulated"}`, ...lines].join("\n  ");
    throw new UsageError(what, { file: linksFile }, error.hint);
  }
  const { runSimProcess } = await import("@servofleet/hil-tests/sim/sim-process");
  await runSimProcess(linksFile);
}
