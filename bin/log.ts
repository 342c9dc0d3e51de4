import { type Logger, pino } from "pino";

/** Structured lines on stderr: stdout belongs to what a verb answers. Level by SERVOFLEET_LOG (default `warn` under the demo, `info` else). */
export const log = (service: string): Logger =>
  pino(
    { name: service, level: process.env["SERVOFLEET_LOG"] ?? "info", base: { service } },
    pino.destination({ dest: 2, sync: true }),
  );
