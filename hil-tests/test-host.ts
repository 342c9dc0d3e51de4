import { hasTool, type TestToolName } from "./test-tool.ts";

export { DEBIAN_PYTHON, hasTool, type TestToolName } from "./test-tool.ts";

/**
 * True when this host has every named tool: `describe.runIf(needs("nats-server"))("...", () => { ... })`.
 * Where something is missing the suite is marked as skipped; with CI=true a skipped suite would be a hole that nobody
 * sees, so there it throws while the file is collected, and the file fails.
 */
export function needs(...tools: readonly TestToolName[]): boolean {
  const missing = tools.filter((tool) => !hasTool(tool));
  if (missing.length > 0 && isContinuousIntegration()) {
    throw new Error(`this host lacks ${missing.join(", ")}; with CI=true a suite must not be skipped`);
  }
  return missing.length === 0;
}

function isContinuousIntegration(): boolean {
  return ["true", "1"].includes(process.env["CI"] ?? "");
}
