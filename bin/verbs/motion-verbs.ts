import type { CommandRequest } from "@servofleet/contracts";
import type { Command } from "commander";
import { sendCommand, stopAxes, WAIT_MAX_S } from "./fleet-verbs.ts";
import { number } from "./number-argument.ts";
import { ended, verbContext } from "./verb-context.ts";

const PLAIN = { enable: "Enable", disable: "Disable", reset: "Reset", home: "Home", halt: "Halt" } as const;
const DESCRIBED: Record<keyof typeof PLAIN, string> = {
  enable: "switch the drive's power stage on",
  disable: "switch it off",
  reset: "clear a fault and, at standstill, a latched stop; never moves anything",
  home: "find the home position",
  halt: "stop the running motion, not latched",
};

/** Verbs that ask for something. */
export function addMotionVerbs(program: Command): void {
  for (const verb of Object.keys(PLAIN) as (keyof typeof PLAIN)[]) {
    program
      .command(`${verb} <axis>`)
      .description(DESCRIBED[verb])
      .option("--wait", "until it has ended")
      .action((axis: string, options: { wait?: boolean }, command: Command) =>
        send(command, axis, { type: PLAIN[verb] }, options.wait),
      );
  }
  addMove(program);
  addStop(program);
}

function addMove(program: Command): void {
  program
    .command("move")
    .description("move to a position, or by a distance")
    .argument("<axis>")
    .argument("<position>", "in the axis's own unit; may be negative", number)
    .option("--velocity <v>", "units/s", number)
    .option("--acceleration <a>", "units/s2", number)
    .option("--relative", "by a distance instead of to a position")
    .option("--wait", "until it has ended")
    .action(
      (
        axis: string,
        position: number,
        options: { velocity?: number; acceleration?: number; relative?: boolean; wait?: boolean },
        command: Command,
      ) => {
        const profile = {
          ...(options.velocity === undefined ? {} : { velocity: options.velocity }),
          ...(options.acceleration === undefined ? {} : { acceleration: options.acceleration }),
        };
        return send(
          command,
          axis,
          options.relative
            ? { type: "MoveRelative", distance: position, ...profile }
            : { type: "MoveAbsolute", position, ...profile },
          options.wait,
        );
      },
    );
}

function addStop(program: Command): void {
  program
    .command("stop [axis...]")
    .description("software stop of axes or of all (--all), latched; not a safety function")
    .option("--all", "every axis of the box")
    .option("--group <group>", "every axis of a group")
    .option("--link <link>", "every axis of a link")
    .action((axes: string[], options: StopScope, command: Command) => {
      const { target, controllerSocket, out } = verbContext(command);
      const paths = stopPaths(axes, options);
      if (paths.length === 0) return command.error("error: say which: an axis, --group, --link or --all");
      return ended(stopAxes(target, controllerSocket, out, paths));
    });
}

interface StopScope {
  readonly all?: boolean;
  readonly group?: string;
  readonly link?: string;
}

/** Everything that was named is stopped: more than was meant is better than less. */
function stopPaths(axes: readonly string[], { all, group, link }: StopScope): string[] {
  if (all) return ["/v1/stop"];
  return [
    ...(group === undefined ? [] : [`/v1/groups/${encodeURIComponent(group)}/stop`]),
    ...(link === undefined ? [] : [`/v1/links/${encodeURIComponent(link)}/stop`]),
    ...axes.map((axis) => `/v1/axes/${encodeURIComponent(axis)}/stop`),
  ];
}

function send(command: Command, axis: string, request: CommandRequest, wait: boolean | undefined): Promise<void> {
  const { target, out } = verbContext(command);
  return ended(sendCommand(target, out, axis, request, wait ? WAIT_MAX_S : undefined));
}
