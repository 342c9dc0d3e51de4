import { execFileSync } from "node:child_process";
import { closeSync } from "node:fs";
import { createRequire } from "node:module";

interface PtyModule {
  open(cols: number, rows: number): { master: number; slave: number; pty: string };
}

/** node-pty's native part: its `open` makes a pty pair without a child process. */
const native = createRequire(import.meta.url)(`@lydell/node-pty-linux-${process.arch}/pty.node`) as PtyModule;

export interface Pty {
  readonly master: number;
  readonly path: string;
  /** Closes the side that holds the pair; the master belongs to who reads it. */
  release(): void;
}

/** A raw pty pair. The slave side stays open here, unread, so that a master alone does not see a hang-up. */
export function openPty(): Pty {
  const { master, slave, pty } = native.open(80, 24);
  execFileSync("stty", ["-F", pty, "raw", "-echo"]);
  return { master, path: pty, release: () => closeSync(slave) };
}
