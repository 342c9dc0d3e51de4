import { watch } from "node:fs";
import { basename, dirname } from "node:path";

/**
 * Calls `onWrite` soon after somebody has written to `file`, which may come and go. A hint and no promise: where the system
 * has no more watches, or the file lies on a network, it is silent. Returns the function that ends it.
 */
export function watchWrites(file: string, onWrite: () => void): () => void {
  const name = basename(file);
  try {
    // The directory, since a watch on a file stays with the inode when the file is made anew.
    const watcher = watch(dirname(file), { persistent: false }, (_, changed) => {
      if (changed === name) onWrite();
    });
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
