import { dirname, resolve } from "node:path";
import type { FleetConfig } from "@servofleet/contracts";
import { isLoopback } from "@servofleet/dashboard-api/gateway/request-guard";
import { loadProfile, shippedProfiles } from "@servofleet/firmware-bridge/profile/load-profile";
import { ProfileError } from "@servofleet/firmware-bridge/profile/profile-error";
import { type FleetCheck, FleetFileError, readFleetFile } from "@servofleet/runtime/fleet-file";
import { nearestSpelling } from "@servofleet/runtime/nearest-spelling";
import type { Complaint } from "@servofleet/runtime/schema-complaints";
import { linkBudgets } from "./link-budget.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a file that is to start something: beside what `readFleetFile` looks at, its profiles must load and its address
 * must be one that the gateway will take. A service that only notices once others run would have them stopped again.
 * @throws FleetFileError
 */
export const readFleetToStart = (file: string, env: Environment): FleetConfig =>
  readFleetFile(file, env, [profilesLoad(dirname(resolve(file))), listensOnLoopback]);

/** Polls or a stop bound that a line has no time for start nothing either. @throws FleetFileError */
export function refuseOverload(config: FleetConfig, file: string): void {
  const unfit = linkBudgets(config, file).filter(({ fits }) => !fits);
  if (unfit.length === 0) return;
  const complaints = unfit.map(
    ({ link, refusals, advice }): Complaint => ({
      path: `links[${config.links.findIndex(({ id }) => id === link)}]`,
      found: `${link} with ${refusals.join(" and ")}`,
      allowed: advice ?? "fewer polls",
      nearest: undefined,
    }),
  );
  throw new FleetFileError("not-valid", file, "does not fit the bus; nothing was started", complaints);
}

const profilesLoad =
  (directory: string): FleetCheck =>
  (config, isSound) =>
    config.axes.flatMap((axis, index) => {
      const path = `axes[${index}].profile`;
      return isSound(path) ? profileTrouble(axis.profile, directory, path) : [];
    });

function profileTrouble(name: string, directory: string, path: string): Complaint[] {
  try {
    loadProfile(name, directory);
    return [];
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const found = JSON.stringify(name);
    if (error.code !== "not-found") return [{ path, found, allowed: usable(error), nearest: undefined }];
    const names = shippedProfiles();
    const allowed = `${names.join(", ")}, or a path to your own`;
    return [{ path, found, allowed, nearest: nearestSpelling(name, names) }];
  }
}

const usable = ({ hint, complaints }: ProfileError): string => {
  const first = complaints[0];
  const where = first ? ` (${first.path}: found ${first.found}, allowed ${first.allowed})` : "";
  return `a profile that can be used; this one: ${hint}${where}; \`servofleet profile check\` tells all`;
};

const listensOnLoopback: FleetCheck = ({ http }, isSound) =>
  !isSound("http.host") || isLoopback(http.host)
    ? []
    : [
        {
          path: "http.host",
          found: JSON.stringify(http.host),
          allowed:
            "a loopback address, as 127.0.0.1: there are no users yet, so everybody who reaches the port could move an axis; reach it through a tunnel",
          nearest: undefined,
        },
      ];
