/** One item of the XL430-W250 control table (e-manual): address, size, access, value at delivery. */
export interface TableItem {
  address: number;
  size: 1 | 2 | 4;
  access: "r" | "rw";
  value: number;
  /** Largest magnitude that is taken. */
  max?: number;
}

const item = (address: number, size: 1 | 2 | 4, access: "r" | "rw", value = 0, max?: number): TableItem =>
  max === undefined ? { address, size, access, value } : { address, size, access, value, max };

/** Below this address the table is EEPROM: written only without torque, and kept without supply. */
export const RAM_FROM = 64;
export const TABLE_BYTES = 147;

export const at = {
  operatingMode: 11,
  movingThreshold: 24,
  velocityLimit: 44,
  maxPosition: 48,
  minPosition: 52,
  shutdown: 63,
  torqueEnable: 64,
  statusReturnLevel: 68,
  hardwareError: 70,
  busWatchdog: 98,
  goalPwm: 100,
  goalVelocity: 104,
  profileAcceleration: 108,
  profileVelocity: 112,
  goalPosition: 116,
  realtimeTick: 120,
  moving: 122,
  movingStatus: 123,
  presentLoad: 126,
  presentVelocity: 128,
  presentPosition: 132,
  velocityTrajectory: 136,
  positionTrajectory: 140,
  inputVoltage: 144,
  temperature: 146,
} as const;

export const ITEMS: readonly TableItem[] = [
  item(0, 2, "r", 1060),
  item(6, 1, "r", 46),
  item(7, 1, "rw", 1, 252),
  item(8, 1, "rw", 1, 6),
  item(9, 1, "rw", 250, 254),
  item(10, 1, "rw"),
  item(at.operatingMode, 1, "rw", 3, 16),
  item(20, 4, "rw"),
  item(at.movingThreshold, 4, "rw", 10),
  item(31, 1, "rw", 72, 100),
  item(32, 2, "rw", 140, 160),
  item(34, 2, "rw", 60, 160),
  item(36, 2, "rw", 885, 885),
  item(at.velocityLimit, 4, "rw", 265, 1023),
  item(at.maxPosition, 4, "rw", 4095, 4095),
  item(at.minPosition, 4, "rw", 0, 4095),
  item(at.shutdown, 1, "rw", 0x34),
  item(at.torqueEnable, 1, "rw", 0, 1),
  item(65, 1, "rw", 0, 1),
  item(at.statusReturnLevel, 1, "rw", 2, 2),
  item(69, 1, "r"),
  item(at.hardwareError, 1, "r"),
  item(at.busWatchdog, 1, "rw", 0, 127),
  item(at.goalPwm, 2, "rw", 885),
  item(at.goalVelocity, 4, "rw"),
  item(at.profileAcceleration, 4, "rw", 0, 32_767),
  item(at.profileVelocity, 4, "rw", 0, 32_767),
  item(at.goalPosition, 4, "rw"),
  item(at.realtimeTick, 2, "r"),
  item(at.moving, 1, "r"),
  item(at.movingStatus, 1, "r"),
  item(124, 2, "r"),
  item(at.presentLoad, 2, "r"),
  item(at.presentVelocity, 4, "r"),
  item(at.presentPosition, 4, "r"),
  item(at.velocityTrajectory, 4, "r"),
  item(at.positionTrajectory, 4, "r"),
  item(at.inputVoltage, 2, "r", 120),
  item(at.temperature, 1, "r", 32),
];
