import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { ReadStream } from "node:tty";
import { SimError } from "./sim-error.ts";

/** The part of node-pty's native module that is used: a bare pty pair, no child process. */
interface NativePty {
  open(columns: number, rows: number): { master: number; slave: number; pty: string };
}

/** Told what arrives at the simulated end of the line. */
export type LineReader = (bytes: Buffer) => void;

/** The other program has the line under a path that survives unplugging, as under /dev/serial/by-id. */
export interface PtyLine {
  /** Stable path (a symbolic link to the pty), present only while plugged. */
  readonly path: string;
  readonly plugged: boolean;
  /** Bytes that the reader of the line never fetched and that the kernel had no more room for. */
  readonly lostBytes: number;
  /** Sends to the other program; without a plugged line or room in its queue the bytes are lost, as on a wire. */
  write(bytes: Uint8Array): void;
  /** Pulls the plug: the path vanishes, the other program sees end of file or EIO. Harmless when unplugged. */
  unplug(): void;
  /** Opens a new pty under the same path. Harmless when plugged. */
  plug(): void;
}

const loadNative = createRequire(import.meta.url);

function nativePty(): NativePty {
  const name = `@lydell/node-pty-linux-${process.arch}/pty.node`;
  try {
    return loadNative(name) as NativePty;
  } catch (cause) {
    throw new SimError("no-pty", { module: name, cause: String(cause) }, "run npm ci on 64-bit Linux (x64 or arm64)");
  }
}

/** Opens a raw pty under `path`. Throws SimError `no-pty` or `path-taken`. */
export function openPtyLine(path: string, read: LineReader): PtyLine {
  return new NodePtyLine(path, read);
}

class NodePtyLine implements PtyLine {
  readonly path: string;
  lostBytes = 0;
  #read: LineReader;
  #open: { master: number; slave: number; pty: string; stream: ReadStream } | undefined;

  constructor(path: string, read: LineReader) {
    this.path = path;
    this.#read = read;
    this.plug();
  }

  get plugged(): boolean {
    return this.#open !== undefined;
  }

  plug(): void {
    if (this.#open) return;
    const { master, slave, pty } = nativePty().open(80, 24);
    // Raw, or the line discipline would echo each request and turn 0x0D into 0x0A.
    execFileSync("stty", ["-F", pty, "raw", "-echo"]);
    // The slave stays open, unread: without it the master reports EIO whenever no program holds the line.
    const stream = new ReadStream(master);
    stream.on("data", (bytes: Buffer) => this.#read(bytes));
    stream.on("error", () => this.unplug());
    this.#open = { master, slave, pty, stream };
    this.#link(pty);
  }

  unplug(): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    // Only our own link: the name may be a real file, or by now another simulator's.
    if (linkTarget(this.path) === open.pty) rmSync(this.path);
    open.stream.destroy();
    closeSync(open.slave);
  }

  // The master is non-blocking, so the write stays off libuv's thread pool and returns at once.
  write(bytes: Uint8Array): void {
    if (!this.#open) return;
    let sent = 0;
    try {
      while (sent < bytes.length) sent += writeSync(this.#open.master, bytes, sent);
    } catch {
      this.lostBytes += bytes.length - sent;
    }
  }

  #link(pty: string): void {
    mkdirSync(dirname(this.path), { recursive: true });
    if (linkTarget(this.path) !== undefined) rmSync(this.path);
    try {
      symlinkSync(pty, this.path);
    } catch (cause) {
      this.unplug();
      throw new SimError(
        "path-taken",
        { path: this.path, cause: String(cause) },
        "name a path that is free or an old link",
      );
    }
  }
}

// A link left by a killed simulator is replaced; a real file or device never is.
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
