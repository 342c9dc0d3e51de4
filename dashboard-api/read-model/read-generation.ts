import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Projection } from "./projection.ts";
import { SqliteViewStore } from "./sqlite-view-store.ts";

/** Names the generation that answers; the first one when it is not there. */
const CURRENT = "current.json";
const FIRST = 1;
/** What is neither a generation nor this is of no use any more. */
const KEPT = new Set([CURRENT, "rebuild.lock", "rebuild.lock.owner", "rebuild.lock-journal"]);

/** One whole set of projection files: `<read directory>/g<generation>`. */
export const generationDirectory = (readDirectory: string, generation: number): string =>
  join(readDirectory, `g${generation}`);

/** The generation that answers. */
export async function currentGeneration(readDirectory: string): Promise<number> {
  try {
    const { generation } = JSON.parse(await readFile(join(readDirectory, CURRENT), "utf8")) as { generation: unknown };
    return Number.isSafeInteger(generation) ? Number(generation) : FIRST;
  } catch {
    // Missing or unreadable: every generation can be rebuilt, so the worst this costs is time.
    return FIRST;
  }
}

/** Opens the files of a generation. */
export async function generationStores(
  readDirectory: string,
  generation: number,
): Promise<<Row>(projection: Projection<Row>) => Promise<SqliteViewStore<Row>>> {
  const directory = generationDirectory(readDirectory, generation);
  await mkdir(directory, { recursive: true });
  return (projection) => SqliteViewStore.open(directory, projection);
}

/** From the next start on `generation` answers. One rename: a power cut leaves the old name or the new one. */
export async function chooseGeneration(readDirectory: string, generation: number): Promise<void> {
  const file = join(readDirectory, CURRENT);
  const written = await open(`${file}.new`, "w");
  try {
    await written.writeFile(`${JSON.stringify({ generation })}\n`);
    await written.sync();
  } finally {
    await written.close();
  }
  await rename(`${file}.new`, file);
  const directory = await open(readDirectory, "r");
  await directory.sync().finally(() => directory.close());
}

/** Deletes what came before `generation`, and what is no generation. Later ones may just be built by somebody. */
export async function dropOlderThan(readDirectory: string, generation: number): Promise<void> {
  for (const name of await readdir(readDirectory)) {
    const number = Number(/^g(\d+)$/.exec(name)?.[1] ?? 0);
    if (KEPT.has(name) || number >= generation) continue;
    await rm(join(readDirectory, name), { recursive: true, force: true });
  }
}
