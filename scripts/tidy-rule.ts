import { type Node, type SourceFile, walk } from "./source-file.ts";

export type Finding = { path: string; line: number; rule: string; problem: string };

export const FILE_LINES_MAX = 300;
export const FUNCTION_LINES_MAX = 50;

const FUNCTION_TYPES = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
const TIMERS = new Set(["setTimeout", "setInterval", "setImmediate"]);
const CLOCKS = new Set(["Date.now", "Math.random", "performance.now", "process.hrtime"]);
const TEST_WORDS = new Set(["describe", "it", "test", "suite"]);
const FORBIDDEN_NAME = /(^|\/)(utils?|common|misc|helpers?)(\.|\/)/;
const LEFT_OVER = new RegExp(
  `\\b(${["TO", "FIX", "XX"].map((word, at) => word + ["DO", "ME", "X"][at]).join("|")})\\b`,
);

/** All hard rules of CONTRIBUTING.md on one file; an empty answer is a tidy file. */
export function tidyFindings(file: SourceFile): Finding[] {
  const findings = [...nameFindings(file), ...sizeFindings(file), ...commentFindings(file)];
  walk(file.program, (node) => {
    for (const found of nodeProblems(file, node))
      findings.push({ path: file.path, line: file.lineAt(node.start), ...found });
  });
  return findings;
}

type Problem = { rule: string; problem: string };

function nodeProblems(file: SourceFile, node: Node): Problem[] {
  return [anyProblem(file, node), throwProblem(file, node), clockProblem(file, node), testProblem(file, node)].filter(
    (found) => found !== null,
  );
}

function anyProblem(file: SourceFile, node: Node): Problem | null {
  if (node.type !== "TSAnyKeyword" || !mustBeFreeOfAny(file.path)) return null;
  return { rule: "any", problem: "`any` in contracts or in the domain" };
}

function mustBeFreeOfAny(path: string): boolean {
  return path.startsWith("contracts/") || path.startsWith("controller/domain/");
}

/**
 * Failures are classes with code, facts and hint; only tests, the composition and the gate may throw plain errors, and the
 * page, which runs in the browser and has no `assert` of ours.
 */
function throwProblem(file: SourceFile, node: Node): Problem | null {
  if (node.type !== "ThrowStatement" || file.isTest || isComposition(file) || isBrowserCode(file.path)) return null;
  const thrown = node["argument"] as Node;
  if (thrown.type !== "NewExpression" || dotted(thrown["callee"] as Node) !== "Error") return null;
  return { rule: "bare-throw", problem: "a bare `throw new Error`: give it a class with code, facts and hint" };
}

/** Time and chance come in as data: only runtime/ and the composition read a clock or start a timer. */
function clockProblem(file: SourceFile, node: Node): Problem | null {
  if (file.isTest || isComposition(file) || file.room === "runtime" || isBrowserCode(file.path)) return null;
  const problem = clockUse(node);
  return problem === null
    ? null
    : { rule: "clock", problem: `${problem}: take Clock or Random from @servofleet/runtime` };
}

function clockUse(node: Node): string | null {
  if (node.type === "MemberExpression" && CLOCKS.has(dotted(node))) return dotted(node);
  if (node.type === "NewExpression" && dotted(node["callee"] as Node) === "Date") {
    return (node["arguments"] as Node[]).length === 0 ? "new Date()" : null;
  }
  if (node.type === "CallExpression") {
    const name = dotted(node["callee"] as Node).replace(/^globalThis\./, "");
    return TIMERS.has(name) ? name : null;
  }
  if (node.type === "ImportDeclaration") {
    const from = String((node["source"] as Node)["value"]);
    return /^(node:)?timers(\/promises)?$/.test(from) ? `import from ${from}` : null;
  }
  return null;
}

function testProblem(file: SourceFile, node: Node): Problem | null {
  if (!file.isTest || node.type !== "MemberExpression") return null;
  const [object = "", property = ""] = dotted(node).split(".");
  if (!TEST_WORDS.has(object) || !["only", "skip", "todo"].includes(property)) return null;
  return { rule: "test-left-out", problem: `${object}.${property}: a test that does not run proves nothing` };
}

function nameFindings({ path }: SourceFile): Finding[] {
  if (!FORBIDDEN_NAME.test(path)) return [];
  return [{ path, line: 1, rule: "name", problem: "a file is named after its one idea" }];
}

function commentFindings(file: SourceFile): Finding[] {
  return file.comments
    .filter((comment) => LEFT_OVER.test(comment.value))
    .map((comment) => ({
      path: file.path,
      line: file.lineAt(comment.start),
      rule: "left-over",
      problem: "unfinished work is an issue, not a comment",
    }));
}

function sizeFindings(file: SourceFile): Finding[] {
  if (file.isTest) return [];
  const findings = longFunctions(file)
    .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
    .map(({ line, lines }) => ({
      path: file.path,
      line,
      rule: "function-length",
      problem: `a function of ${lines} lines; at most ${FUNCTION_LINES_MAX}`,
    }));
  if (isLogic(file) && file.lines > FILE_LINES_MAX) {
    const problem = `${file.lines} lines; at most ${FILE_LINES_MAX}: two ideas in one file?`;
    findings.push({ path: file.path, line: 1, rule: "file-length", problem });
  }
  return findings;
}

/** Tables and schemas are exempt from the length of a file: they grow with what they describe. */
export function isLogic(file: SourceFile): boolean {
  return !file.isTest && file.room !== "contracts" && !/(^|\/)(fixtures|profiles)\//.test(file.path);
}

/** Every function of a file with its line and its length in lines. */
export function longFunctions(file: SourceFile): { line: number; lines: number }[] {
  const found: { line: number; lines: number }[] = [];
  walk(file.program, (node) => {
    if (!FUNCTION_TYPES.has(node.type)) return;
    const line = file.lineAt(node.start);
    found.push({ line, lines: file.lineAt(node.end - 1) - line + 1 });
  });
  return found;
}

/** How often a file says `any`. */
export function countAny(file: SourceFile): number {
  let count = 0;
  walk(file.program, (node) => {
    if (node.type === "TSAnyKeyword") count += 1;
  });
  return count;
}

function isComposition(file: SourceFile): boolean {
  return file.room === "bin" || file.room === "scripts";
}

function isBrowserCode(path: string): boolean {
  return path.startsWith("dashboard-api/page/");
}

function dotted(node: Node | null | undefined): string {
  if (!node) return "";
  if (node.type === "Identifier") return String(node["name"]);
  if (node.type !== "MemberExpression" || node["computed"] === true) return "";
  return `${dotted(node["object"] as Node)}.${dotted(node["property"] as Node)}`;
}
