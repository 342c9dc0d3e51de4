import { UsageError } from "./exit.ts";

const PORT_DEFAULT = 8080;
const PORT_MAX = 65_535;

type Environment = Readonly<Record<string, string | undefined>>;

/** SERVOFLEET_PORT as a number; undefined when it is not set. @throws UsageError when it is no port */
export function portOf(env: Environment): number | undefined {
  const text = env["SERVOFLEET_PORT"];
  if (text === undefined || text === "") return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= PORT_MAX) return port;
  throw new UsageError(`SERVOFLEET_PORT is no port: ${text}`, { found: text }, "set 0 (any free one) to 65535");
}

/** Where a verb looks for the gateway unless `--url` says it; port 0 says nothing about where it ended up. */
export function defaultUrl(env: Environment): string {
  const given = env["SERVOFLEET_URL"];
  if (given) return given;
  const host = env["SERVOFLEET_HOST"] || "127.0.0.1";
  const port = /^\d{1,5}$/.test(env["SERVOFLEET_PORT"] ?? "") ? Number(env["SERVOFLEET_PORT"]) : 0;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port || PORT_DEFAULT}`;
}

/** An address of the command line. @throws UsageError */
export function gatewayUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" && url.hostname !== "") return url.origin;
  throw new UsageError(`no address of a gateway: ${text}`, { found: text }, "name one as http://127.0.0.1:8080");
}
