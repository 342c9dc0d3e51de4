import { fileURLToPath } from "node:url";
import { compiledProgram } from "../line/compiled-program.ts";

const SOURCE = fileURLToPath(new URL("disk-recorder.c", import.meta.url));

/** What a process that runs under the recorder gets. */
export interface Recorded {
  /** The watched directory, absolute and without links. */
  readonly directory: string;
  readonly traceFile?: string;
  readonly faultsFile?: string;
}

/** The environment under which a process is recorded or gets faults. Rejects with LineError where there is no compiler. */
export async function recorderEnvironment({ directory, traceFile, faultsFile }: Recorded): Promise<NodeJS.ProcessEnv> {
  return {
    ...process.env,
    LD_PRELOAD: await compiledProgram(SOURCE, [], ["-shared", "-fPIC"]),
    CRASH_DIRECTORY: directory,
    ...(traceFile ? { CRASH_TRACE: traceFile } : {}),
    ...(faultsFile ? { CRASH_FAULTS: faultsFile } : {}),
    UV_THREADPOOL_SIZE: "16",
    // Its reads and writes would pass the recorder by.
    UV_USE_IO_URING: "0",
  };
}
