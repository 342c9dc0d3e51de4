import { dirname, join, normalize } from "node:path";
import type { SourceFile } from "./source-file.ts";

/** Groups of files that import each other in a ring (type imports count too: a ring of types is still one idea cut in two). */
export function findCycles(files: readonly SourceFile[]): string[][] {
  const graph = importGraph(files);
  const reach = new Map([...graph.keys()].map((path) => [path, reachable(path, graph)]));
  const rings = new Map<string, string[]>();
  for (const [path, others] of reach) {
    if (!others.has(path)) continue;
    const ring = [...others].filter((other) => reach.get(other)?.has(path)).sort();
    rings.set(ring.join(" "), ring);
  }
  return [...rings.values()];
}

function importGraph(files: readonly SourceFile[]): Map<string, string[]> {
  const known = new Set(files.map((file) => file.path));
  return new Map(
    files.map((file) => [
      file.path,
      file.imports
        .filter(({ dynamic }) => !dynamic)
        .map(({ specifier }) => resolveImport(file.path, specifier))
        .filter((path) => path !== null && known.has(path))
        .map(String),
    ]),
  );
}

/** The file of this house behind a specifier (the packages' `exports` map names to files one to one), or null. */
export function resolveImport(from: string, specifier: string): string | null {
  if (specifier.startsWith(".")) return normalize(join(dirname(from), specifier));
  const match = /^@servofleet\/([a-z-]+)(?:\/(.+))?$/.exec(specifier);
  if (!match) return null;
  return `${match[1] === "cli" ? "bin" : match[1]}/${match[2] ?? "index"}.ts`;
}

function reachable(start: string, graph: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set<string>();
  const open = [...(graph.get(start) ?? [])];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    open.push(...(graph.get(path) ?? []));
  }
  return seen;
}
