import { FILE_TARGETS } from "./file-targets.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { MODBUS_TARGETS } from "./modbus-targets.ts";
import { SERVO_TARGETS } from "./servo-targets.ts";
import { SIMULATOR_TARGETS } from "./simulator-targets.ts";

/** Every parser that reads what others wrote. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  ...MODBUS_TARGETS,
  ...SERVO_TARGETS,
  ...SIMULATOR_TARGETS,
  ...FILE_TARGETS,
];
