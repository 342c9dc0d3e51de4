import type { Finding } from "./tidy-rule.ts";

const BINARY_PROBE_BYTES = 8_000;

/** What ties the project to one machine or one registry; it must stand alone wherever it is cloned. */
const FOREIGN: readonly { pattern: RegExp; problem: string }[] = [
  { pattern: /registry\.(npmjs|yarnpkg)\.\w+/, problem: "the host of a registry" },
  { pattern: /"resolved": "https?:/, problem: "the lockfile names a host" },
  { pattern: /(^|[\s"'`(=])\/(work|root|home|Users)\/\w/, problem: "a path of one machine" },
  { pattern: /\.\.\/shared\b/, problem: "a path outside the project" },
];

/** Lines of a text file that name a registry's host or a path of somebody's machine; binary files have none. */
export function findForeignWords(path: string, content: Buffer): Finding[] {
  if (content.subarray(0, BINARY_PROBE_BYTES).includes(0)) return [];
  return content
    .toString("utf8")
    .split("\n")
    .flatMap((text, index) =>
      FOREIGN.filter(({ pattern }) => pattern.test(text)).map(({ problem }) => ({
        path,
        line: index + 1,
        rule: "foreign",
        problem,
      })),
    );
}
