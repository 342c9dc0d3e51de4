import type { Command } from "commander";
import { call } from "./api-client.ts";
import { figure, table } from "./output.ts";
import { ended, type VerbContext, verbContext } from "./verb-context.ts";

/** All of a capture: 40 s at 50 samples a second. */
const POINTS = "5000";

interface BlackBoxPoint {
  readonly at: string;
  readonly position: number | null;
  readonly velocity: number | null;
  readonly followingError: number | null;
  readonly torque: number | null;
}
interface BlackBox {
  readonly unitName: string;
  readonly items: readonly BlackBoxPoint[];
}

/** `black-box AXIS [--before TIME]`. */
export function addBlackBoxVerb(program: Command): void {
  program
    .command("black-box <axis>")
    .description("the samples around the newest fault of an axis: 30 s before it, 10 s after")
    .option("--before <time>", "a fault that began before this moment, RFC 3339")
    .action((axis: string, options: { before?: string }, command: Command) =>
      ended(showBlackBox(verbContext(command), axis, options.before)),
    );
}

async function showBlackBox({ target, out }: VerbContext, axis: string, before: string | undefined): Promise<number> {
  const query = new URLSearchParams({ points: POINTS, ...(before ? { to: before } : {}) });
  const { body } = await call<BlackBox>(target, "GET", `/v1/axes/${encodeURIComponent(axis)}/black-box?${query}`);
  if (body.items.length === 0) out.note(`no fault of ${axis} was captured`);
  out.show(body, () => lines(body));
  return 0;
}

const lines = ({ unitName, items }: BlackBox): string =>
  table(
    ["TIME", "POSITION", "VELOCITY", "LAG", "TORQUE"],
    items.map(({ at, position, velocity, followingError, torque }) => [
      at,
      figure(position, unitName),
      figure(velocity, `${unitName}/s`),
      figure(followingError, unitName),
      figure(torque, "%"),
    ]),
  );
