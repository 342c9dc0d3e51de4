import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";

const MEMORY = "/dev/shm";

/** Where images of a disk are made: in memory where there is such a place, as a copy of a disk needs no disk. */
export function scratchPlace(): string {
  try {
    accessSync(MEMORY, constants.W_OK);
    return MEMORY;
  } catch {
    return tmpdir();
  }
}
