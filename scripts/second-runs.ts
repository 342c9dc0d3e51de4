import type { Reporter, TestCase } from "vitest/node";

/** Names each test that passed only when it was run again, with what it had failed of: a race is to be mended, not to be lived with. */
export class SecondRuns implements Reporter {
  readonly #lines: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if ((test.diagnostic()?.retryCount ?? 0) === 0 || !test.ok()) return;
    const why = test.result().errors?.[0]?.message.split("\n")[0] ?? "for no reason that it told";
    this.#lines.push(`again: ${test.module.relativeModuleId} > ${test.fullName}: ${why}`);
  }

  onTestRunEnd(): void {
    for (const line of this.#lines.splice(0)) process.stdout.write(`${line}\n`);
  }
}
