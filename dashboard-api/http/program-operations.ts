import { controllerRead } from "./lease-operations.ts";

/** Programs as OpenAPI paths: reads that the controller answers, which alone knows what is armed. */
export const PROGRAM_PATHS: Readonly<Record<string, { readonly get: object }>> = {
  "/v1/programs": controllerRead("getPrograms", "Programs, and whether their triggers are armed", "ProgramList"),
  "/v1/programs/{program}": controllerRead("getProgramsProgram", "One program as it was last defined", "Program", [
    "program",
  ]),
};
