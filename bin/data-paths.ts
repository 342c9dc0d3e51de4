import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** A Unix socket's path and its final zero byte must fit into `sun_path` (108 bytes; unix(7)). */
export const SOCKET_PATH_MAX_BYTES = 107;
const SOCKETS = ["controller", "dashboard", "live", "bridge"] as const;

/** The data directory cannot be used; nothing was started. */
export class DataDirectoryError extends Error {
  override readonly name = "DataDirectoryError";
  readonly code: "path-too-long" | "not-a-directory" | "not-writable";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: DataDirectoryError["code"], what: string, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(what);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}

/** Where everything of one box lies; made once by whoever starts first. Sockets are under `run`, so that their paths stay short. */
export function dataPaths(data: string) {
  const socket = (name: (typeof SOCKETS)[number]): string => join(data, "run", `${name}.sock`);
  return {
    data,
    log: data,
    events: join(data, "events.db"),
    telemetry: join(data, "telemetry.db"),
    read: join(data, "read"),
    run: join(data, "run"),
    controllerSocket: socket("controller"),
    dashboardSocket: socket("dashboard"),
    liveSocket: socket("live"),
    bridgeSocket: socket("bridge"),
  };
}

export type DataPaths = ReturnType<typeof dataPaths>;

/**
 * Creates the directories, readable by owner and group only.
 * @throws DataDirectoryError
 */
export function prepareDataDirectories(paths: DataPaths): void {
  assertSocketsFit(paths.data);
  for (const directory of [paths.data, paths.read, paths.run]) makeDirectory(directory);
}

function assertSocketsFit(data: string): void {
  const longest = Math.max(...SOCKETS.map((name) => Buffer.byteLength(join(data, "run", `${name}.sock`))));
  const excess = longest - SOCKET_PATH_MAX_BYTES;
  if (excess <= 0) return;
  throw new DataDirectoryError(
    "path-too-long",
    `the data directory's path is ${excess} byte${excess === 1 ? "" : "s"} too long for the sockets in it: ${data}`,
    { data, bytes: Buffer.byteLength(data), maxBytes: Buffer.byteLength(data) - excess },
    `choose one of at most ${Buffer.byteLength(data) - excess} bytes, as /var/lib/servofleet, with SERVOFLEET_DATA or \`data\` in fleet.yaml`,
  );
}

/** One level after the other: `mkdir` with `recursive` never returns under /proc (a directory that is there and takes none). */
export function makeDirectory(directory: string): void {
  try {
    const found = statSync(directory, { throwIfNoEntry: false });
    if (found && !found.isDirectory()) throw unusable(directory, "ENOTDIR");
    if (found) {
      accessSync(directory, constants.W_OK);
      return;
    }
    makeParents(dirname(directory));
    mkdirSync(directory, { mode: 0o770 });
  } catch (error) {
    if (error instanceof DataDirectoryError) throw error;
    // Another service of the box made it in the same moment.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw unusable(directory, (error as NodeJS.ErrnoException).code ?? "unknown");
  }
}

/** Parents that are there need not be writable themselves. */
function makeParents(directory: string): void {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) makeDirectory(directory);
}

function unusable(directory: string, code: string): DataDirectoryError {
  const notDirectory = code === "ENOTDIR";
  return new DataDirectoryError(
    notDirectory ? "not-a-directory" : "not-writable",
    notDirectory ? `${directory} is in the way: it is no directory` : `${directory} cannot be used (${code})`,
    { directory, code },
    "name a directory that this user may write, on a local disk, with SERVOFLEET_DATA or `data` in fleet.yaml",
  );
}
