import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "rolldown/utils";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The rooms of the house (docs/architecture.md); `scripts` is the gate itself. */
export const ROOMS = [
  "contracts",
  "runtime",
  "firmware-bridge",
  "controller",
  "dashboard-api",
  "hil-tests",
  "bin",
  "scripts",
] as const;
export type Room = (typeof ROOMS)[number];

/** A node of the syntax tree (ESTree with the TypeScript nodes of typescript-eslint, as oxc writes it). */
export type Node = { type: string; start: number; end: number; [key: string]: unknown };
export type Import = { specifier: string; dynamic: boolean; line: number };

export type SourceFile = {
  /** Path from the project's root, with slashes. */
  path: string;
  room: Room;
  isTest: boolean;
  text: string;
  lines: number;
  commentLines: number;
  program: Node;
  comments: { type: string; value: string; start: number; end: number }[];
  imports: Import[];
  lineAt(offset: number): number;
};

const SKIPPED_FOLDERS = new Set(["node_modules", "coverage", "data", ".git"]);
// Tests, the laws that they share (x.contract.ts), and what only tests of a room use (its folder `testing`).
const TEST_PATH = /\.(test|contract)\.ts$|\/testing\//;
const SOURCE = /\.(ts|mts|mjs|js)$/;

/** Every own source file of the house, parsed once. Throws on a syntax error: then the type check says more. */
export function readSourceFiles(): SourceFile[] {
  return ROOMS.flatMap((room) => listFiles(join(ROOT, room)).map((path) => readSourceFile(path, room)));
}

/** All files below a folder, without what npm, git or a run put there. */
export function listFiles(folder: string, wanted: RegExp = SOURCE): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : listFiles(path, wanted);
      return entry.isFile() && wanted.test(entry.name) ? [path] : [];
    })
    .sort();
}

function readSourceFile(absolutePath: string, room: Room): SourceFile {
  const path = relative(ROOT, absolutePath);
  const text = readFileSync(absolutePath, "utf8");
  return parseSource(path, room, text);
}

/** Parses one text as if it stood at `path`; exported for the tests of the gate. */
export function parseSource(path: string, room: Room, text: string): SourceFile {
  const parsed = parseSync(path, text);
  const failure = parsed.errors[0];
  if (failure) throw new SyntaxError(`${path}: ${failure.message}`);
  const lineAt = lineFinder(text);
  const { staticImports, staticExports, dynamicImports } = parsed.module;
  const imports: Import[] = [
    ...staticImports.map((found) => ({ found: found.moduleRequest, dynamic: false })),
    ...reexports(staticExports).map((found) => ({ found, dynamic: false })),
    ...dynamicImports.map((found) => ({ found: found.moduleRequest, dynamic: true })),
  ].map(({ found, dynamic }) => ({
    specifier: text.slice(found.start, found.end).replace(/^["'`]|["'`]$/g, ""),
    dynamic,
    line: lineAt(found.start),
  }));
  return {
    path,
    room,
    isTest: room === "hil-tests" || TEST_PATH.test(path),
    text,
    lines: countLines(text),
    commentLines: countCommentLines(parsed.comments, lineAt),
    program: parsed.program as unknown as Node,
    comments: parsed.comments,
    imports,
    lineAt,
  };
}

type Span = { start: number; end: number };

function reexports(found: readonly { entries: readonly { moduleRequest: Span | null }[] }[]): Span[] {
  const spans = found
    .flatMap((item) => item.entries.map((entry) => entry.moduleRequest))
    .filter((span) => span !== null);
  return [...new Map(spans.map((span) => [span.start, span])).values()];
}

function countLines(text: string): number {
  return text.replace(/\n$/, "").split("\n").length;
}

function countCommentLines(comments: SourceFile["comments"], lineAt: (offset: number) => number): number {
  return comments.reduce((sum, comment) => sum + lineAt(comment.end - 1) - lineAt(comment.start) + 1, 0);
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}

/** Visits every node, parents first. */
export function walk(
  node: unknown,
  visit: (node: Node, parents: readonly Node[]) => void,
  parents: readonly Node[] = [],
): void {
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit, parents);
    return;
  }
  if (!isNode(node)) return;
  visit(node, parents);
  const inner = [...parents, node];
  for (const [key, value] of Object.entries(node)) if (key !== "parent") walk(value, visit, inner);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}
