/** `servofleet sim`: loaded only here, so that a plant's box never runs a line of it by accident. */
export async function runSimulators(linksFile: string): Promise<void> {
  const { runSimProcess } = await import("@servofleet/hil-tests/sim/sim-process");
  await runSimProcess(linksFile);
}
