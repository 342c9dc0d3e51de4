import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { type Rig, rigDirectory } from "./rig-file.ts";
import type { Need } from "./scenario.ts";

/** CiA 402 homing methods that take the present place. */
const HOME_HERE: readonly number[] = [35, 37];

/** One axis of a rig with everything that planning and running ask of it. */
export interface BenchAxis {
  readonly id: string;
  readonly link: string;
  readonly profile: string;
  readonly real: boolean;
  readonly unitName: string;
  readonly countsPerUnit: number;
  readonly reach: { readonly min: number; readonly max: number };
  readonly limits: {
    readonly min: number;
    readonly max: number;
    readonly velocity: number;
    readonly acceleration: number;
  };
  readonly homingRequired: boolean;
  readonly group: string | undefined;
  /** What it can, and for everything it cannot the reason. */
  readonly lacks: ReadonlyMap<Need, string>;
}

/** Every axis of the rig, in the file's order. @throws ProfileError for a profile that cannot be loaded */
export function benchAxes(rig: Rig): readonly BenchAxis[] {
  return rig.fleet.axes.map((config, n) => {
    const link = rig.links.find(({ id }) => id === config.link);
    const kind = rig.fleet.links.find(({ id }) => id === config.link)?.kind ?? "";
    const profile = loadProfile(config.profile, rigDirectory(rig));
    const { commLoss, handshake } = profile.data;
    const group = rig.fleet.groups.find(({ axes }) => axes.includes(config.id))?.id;
    const facts = {
      kind,
      real: link?.drives === "real",
      control: rig.gateway === null ? link?.drives === "simulated" : rig.gateway.control !== null,
      ownBox: rig.gateway === null,
      ownStop: handshake !== "register-servo",
      haltHolds: profile.believes("haltBit"),
      homing: config.homing.required,
      homingRun: !HOME_HERE.includes(config.homing.method),
      watchdog: commLoss.supported,
      unbounded: config.allowUnboundedMoves || commLoss.supported,
      group,
    };
    const { min, max, velocity, acceleration } = config.limits;
    return {
      id: config.id,
      link: config.link,
      profile: config.profile,
      real: facts.real,
      unitName: config.unitName,
      countsPerUnit: config.countsPerUnit,
      reach: rig.axes[n]?.reach ?? { min, max },
      limits: { min, max, velocity, acceleration },
      homingRequired: config.homing.required,
      group,
      lacks: lacking(facts),
    };
  });
}

interface Facts {
  readonly kind: string;
  readonly real: boolean;
  readonly control: boolean;
  readonly ownBox: boolean;
  readonly ownStop: boolean;
  readonly haltHolds: boolean;
  readonly homing: boolean;
  readonly homingRun: boolean;
  readonly watchdog: boolean;
  readonly unbounded: boolean;
  readonly group: string | undefined;
}

function lacking(facts: Facts): ReadonlyMap<Need, string> {
  const overTcp = facts.kind.endsWith("tcp");
  const reasons: [Need, boolean, string][] = [
    ["homing", facts.homing, "its configuration requires no homing"],
    ["homing-run", facts.homingRun, "its homing takes the place where it stands and runs nowhere"],
    ["serial", !overTcp, `its link is ${facts.kind}, which is no serial line`],
    ["tcp", overTcp, `its link is ${facts.kind}, which has no TCP connection`],
    [
      "simulated",
      facts.control,
      "nobody can provoke the fault or read the drive's record: it is a real drive without a fault control",
    ],
    [
      "velocity",
      facts.unbounded,
      "velocity moves are refused: no communication watchdog, and allowUnboundedMoves is off",
    ],
    ["no-velocity", !facts.unbounded, "velocity moves are allowed on it"],
    ["comm-watchdog", facts.watchdog, "its drive has no communication watchdog"],
    ["no-comm-watchdog", !facts.watchdog, "its drive has a communication watchdog"],
    ["own-box", facts.ownBox, "the gateway runs elsewhere and its processes are not the rig's"],
    [
      "own-stop",
      facts.ownStop,
      "its servo has no stop of its own: it is stopped by a goal, which its record cannot tell from a motion",
    ],
    [
      "halt-holds",
      facts.haltHolds,
      "its Halt is a quick stop, after which it is disabled: its profile only infers a word that halts (haltBit)",
    ],
    ["halt-releases", !facts.haltHolds, "it stays enabled after a Halt"],
    ["group", facts.group !== undefined, "it is in no group of the rig"],
  ];
  return new Map(reasons.filter(([, can]) => !can).map(([need, , why]) => [need, why]));
}
