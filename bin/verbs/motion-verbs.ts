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
    .command("move <axis> <position>")
    .description("move to a position, in the axis's own unit (after -- when it is negative)")
    .option("--velocity <v>", "units/s", number)
    .option("--acceleration <a>", "units/s2", number)
    .option("--relative", "by a distance instead of to a position")
    .option("--wait", "until it has ended")
    .action(
      (
        axis: string,
        position: string,
        options: { velocity?: number; acceleration?: number; relative?: boolean; wait?: boolean },
        command: Command,
      ) => {
        const profile = {
          ...(options.velocity === undefined ? {} : { velocity: options.velocity }),
          ...(options.acceleration === undefined ? {} : { acceleration: options.acceleration }),
        };
        const value = number(position);
        return send(
          command,
          axis,
          options.relative
            ? { type: "MoveRelative", distance: value, ...profile }
            : { type: "MoveAbsolute", position: value, ...profile },
          options.wait,
        );
      },
    );
}

function addStop(program: Command): void {
  program
    .command("stop [axis]")
    .description("software stop of one axis or of all (--all), latched; not a safety function")
    .option("--all", "every axis of the box")
    .option("--group <group>", "every axis of a group")
    .option("--link <link>", "every axis of a link")
    .action((axis: string | undefined, options: { all?: boolean; group?: string; link?: string }, command: Command) => {
      const { target, controllerSocket, out } = verbContext(command);
      const path = stopPath(axis, options);
      if (!path) return command.error("error: say which: an axis, --group, --link or --all", { exitCode: 2 });
      return ended(stopAxes(target, controllerSocket, out, path));
    });
}

function stopPath(
  axis: string | undefined,
  options: { all?: boolean; group?: string; link?: string },
): string | undefined {
  if (options.all) return "/v1/stop";
  if (options.group) return `/v1/groups/${encodeURIComponent(options.group)}/stop`;
  if (options.link) return `/v1/links/${encodeURIComponent(options.link)}/stop`;
  return axis === undefined ? undefined : `/v1/axes/${encodeURIComponent(axis)}/stop`;
}

function send(command: Command, axis: string, request: CommandRequest, wait: boolean | undefined): Promise<void> {
  const { target, out } = verbContext(command);
  return ended(sendCommand(target, out, axis, request, wait ? WAIT_MAX_S : undefined));
}
