import { type FileHandle, open } from "node:fs/promises";

const PART_BYTES = 1024 * 1024;

/**
 * Writes the write-ahead file of `database` over itself and syncs it, before SQLite looks at it. A former process may have
 * died of a failed fsync: the kernel then shows pages that it holds for written and that are not on the disk, SQLite would
 * take their commits for good, and a power cut would take them together with everything acknowledged behind them. The bytes stay
 * the same, so readers and a cut in the middle do no harm. Rejects with the system's error.
 */
export async function rewriteWal(database: string): Promise<void> {
  const file = await open(`${database}-wal`, "r+").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return;
  try {
    await rewrite(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function rewrite(file: FileHandle): Promise<void> {
  const part = Buffer.alloc(PART_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(part, 0, PART_BYTES, at);
    if (bytesRead === 0) return;
    for (let done = 0; done < bytesRead; )
      done += (await file.write(part, done, bytesRead - done, at + done)).bytesWritten;
    at += bytesRead;
  }
}
