import { resolveImport } from "./import-cycle.ts";
import type { Node, SourceFile } from "./source-file.ts";

/** Exports at a package's edge (contracts, runtime/*, each index.ts and what it re-exports) without a doc comment. */
export function undocumentedExports(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const edges = files.filter((file) => !file.isTest && isEdge(file.path)).map((file) => file.path);
  const seen = new Set<string>();
  const open = [...edges];
  const found: string[] = [];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = byPath.get(path);
    if (!file || seen.has(path)) continue;
    seen.add(path);
    found.push(...undocumentedIn(file));
    for (const node of file.program["body"] as Node[]) {
      const source = node.type.startsWith("Export") ? (node["source"] as Node | null | undefined) : null;
      if (source) open.push(resolveImport(path, String(source["value"])) ?? "");
    }
  }
  return found.sort();
}

function isEdge(path: string): boolean {
  return (
    /^(contracts|firmware-bridge|controller|dashboard-api)\/index\.ts$/.test(path) || /^runtime\/[^/]+\.ts$/.test(path)
  );
}

/** A type right below its documented schema (no blank line between) shares the schema's comment. */
function undocumentedIn(file: SourceFile): string[] {
  let documentedUntil = -1;
  return (file.program["body"] as Node[]).flatMap((node) => {
    const declaration = node["declaration"] as Node | null | undefined;
    if (node.type !== "ExportNamedDeclaration" || !declaration) return [];
    const before = documentedUntil === -1 ? "\n\n" : file.text.slice(documentedUntil, node.start);
    const shares = before.trim() === "" && !before.includes("\n\n");
    if (hasDocComment(file, node.start) || shares) {
      documentedUntil = node.end;
      return [];
    }
    return [`${file.path}:${file.lineAt(node.start)} ${nameOf(declaration)}`];
  });
}

function hasDocComment(file: SourceFile, start: number): boolean {
  return file.comments.some(
    ({ type, value, end }) =>
      type === "Block" && value.startsWith("*") && end <= start && file.text.slice(end, start).trim() === "",
  );
}

function nameOf(declaration: Node): string {
  const id = (declaration["id"] ?? (declaration["declarations"] as Node[] | undefined)?.[0]?.["id"]) as
    | Node
    | undefined;
  return String(id?.["name"] ?? declaration.type);
}
