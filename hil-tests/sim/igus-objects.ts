import { object } from "./mr-je-c-objects.ts";

/** One object of the dryve D1 as a telegram reaches it. */
export interface IgusPlace {
  /** Index in the simulated device, whose numbers differ for the position limits. */
  index: number;
  entry: number;
  bytes: 1 | 2 | 4;
  access: "rw" | "ro";
}

const place = (index: number, bytes: 1 | 2 | 4, access: "rw" | "ro", entry = 0): IgusPlace => ({
  index,
  entry,
  bytes,
  access,
});
const HOMING_STATUS = 0x2014;
const FEED_CONSTANT = 0x6092;

// dryve D1 manual V2.4, pp. 104-110; 2014, 607B and 607D as the public driver uses them. Key: index, sub-index.
const places: ReadonlyMap<string, IgusPlace> = new Map([
  ["2014:0", place(HOMING_STATUS, 2, "ro")],
  ["6040:0", place(object.controlword, 2, "rw")],
  ["6041:0", place(object.statusword, 2, "ro")],
  ["6060:0", place(object.mode, 1, "rw")],
  ["6061:0", place(object.modeDisplay, 1, "ro")],
  ["6064:0", place(object.positionActual, 4, "ro")],
  ["606c:0", place(object.velocityActual, 4, "ro")],
  ["607a:0", place(object.targetPosition, 4, "rw")],
  ["607b:0", place(object.softLimits, 4, "rw", 0)],
  ["607d:0", place(object.softLimits, 4, "rw", 1)],
  ["6081:0", place(object.profileVelocity, 4, "rw")],
  ["6083:0", place(object.profileAcceleration, 4, "rw")],
  ["6084:0", place(object.profileDeceleration, 4, "rw")],
  ["6092:1", place(FEED_CONSTANT, 4, "rw", 0)],
  ["6092:2", place(FEED_CONSTANT, 4, "rw", 1)],
  ["6098:0", place(object.homingMethod, 1, "ro")],
  ["6099:1", place(object.homingSpeeds, 4, "rw", 0)],
  ["6099:2", place(object.homingSpeeds, 4, "rw", 1)],
  ["609a:0", place(object.homingAcceleration, 4, "rw")],
  ["60fd:0", place(object.digitalInputs, 4, "ro")],
  ["60ff:0", place(object.targetVelocity, 4, "rw")],
]);

/** The dictionary of the simulated dryve D1. */
export const igusObject = {
  homingStatus: HOMING_STATUS,
  at: (index: number, subindex: number): IgusPlace | undefined => places.get(`${index.toString(16)}:${subindex}`),
};
