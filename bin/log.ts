import { type Logger, pino } from "pino";

/** Structured lines on stderr: stdout belongs to what a verb answers. Level by SERVOFLEET_LOG (default `error` under the demo, `info` else). */
export function log(service: string): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  // A closed terminal must not end a process that moves machines.
  destination.on("error", () => undefined);
  return pino({ level: process.env["SERVOFLEET_LOG"] ?? "info", base: { service } }, destination);
}
