import { never } from "@servofleet/runtime/assert";
import type { DriveProfile } from "../profile/drive-profile.ts";
import { Cia402Drive } from "./cia402-registers.ts";
import { DirectDataDrive } from "./direct-data.ts";
import type { Drive } from "./drive.ts";
import { PathTableDrive } from "./path-table.ts";
import { RegisterServo } from "./register-servo.ts";

/** The handshake that a profile names, for one drive. */
export function createDrive(profile: DriveProfile): Drive {
  const { handshake } = profile.data;
  switch (handshake) {
    case "path-table":
      return new PathTableDrive(profile);
    case "cia402-registers":
      return new Cia402Drive(profile);
    case "register-servo":
      return new RegisterServo(profile);
    case "direct-data":
      return new DirectDataDrive(profile);
    default:
      return never(handshake);
  }
}
