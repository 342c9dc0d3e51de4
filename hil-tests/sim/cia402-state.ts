/** Drive states of CiA 402 (IEC 61800-7-201). */
export type Cia402State =
  | "not-ready-to-switch-on"
  | "switch-on-disabled"
  | "ready-to-switch-on"
  | "switched-on"
  | "operation-enabled"
  | "quick-stop-active"
  | "fault-reaction-active"
  | "fault";

/** What the low bits of a controlword ask for. */
export type Cia402Command = "shutdown" | "switch-on" | "enable-operation" | "disable-voltage" | "quick-stop" | "none";

/** Bits of the controlword outside the state commands. */
export const controlBit = { start: 0x10, immediate: 0x20, relative: 0x40, faultReset: 0x80, halt: 0x100 } as const;

/** Bits of the statusword above the state pattern. */
export const statusBit = {
  voltageEnabled: 0x10,
  warning: 0x80,
  remote: 0x200,
  targetReached: 0x400,
  internalLimit: 0x800,
  modeA: 0x1000,
  modeB: 0x2000,
} as const;

/** The state pattern of the statusword, bits 0 to 6 without bit 4. */
export const statePattern: Readonly<Record<Cia402State, number>> = {
  "not-ready-to-switch-on": 0x00,
  "switch-on-disabled": 0x40,
  "ready-to-switch-on": 0x21,
  "switched-on": 0x23,
  "operation-enabled": 0x27,
  "quick-stop-active": 0x07,
  "fault-reaction-active": 0x0f,
  fault: 0x08,
};

/** Decodes bits 0 to 3 of a controlword. */
export function commandOf(controlword: number): Cia402Command {
  if ((controlword & 0x02) === 0) return "disable-voltage";
  if ((controlword & 0x04) === 0) return "quick-stop";
  if ((controlword & 0x01) === 0) return "shutdown";
  return (controlword & 0x08) === 0 ? "switch-on" : "enable-operation";
}

// Transition numbers of the standard behind each line.
const transitions: Readonly<Record<Cia402State, Partial<Record<Cia402Command, Cia402State>>>> = {
  "not-ready-to-switch-on": {},
  "switch-on-disabled": { shutdown: "ready-to-switch-on" }, // 2
  "ready-to-switch-on": {
    "switch-on": "switched-on", // 3
    "enable-operation": "switched-on", // 3, then 4 in the next cycle
    "disable-voltage": "switch-on-disabled", // 7
    "quick-stop": "switch-on-disabled", // 7
  },
  "switched-on": {
    "enable-operation": "operation-enabled", // 4
    shutdown: "ready-to-switch-on", // 6
    "disable-voltage": "switch-on-disabled", // 10
    "quick-stop": "switch-on-disabled", // 10
  },
  "operation-enabled": {
    "switch-on": "switched-on", // 5
    shutdown: "ready-to-switch-on", // 8
    "disable-voltage": "switch-on-disabled", // 9
    "quick-stop": "quick-stop-active", // 11
  },
  "quick-stop-active": { "disable-voltage": "switch-on-disabled" }, // 12
  "fault-reaction-active": {},
  fault: {},
};

/** The state one drive cycle later; `quickStopOption` is 0x605A: only with 5 to 8 does transition 16 exist. */
export function nextState(state: Cia402State, command: Cia402Command, quickStopOption: number): Cia402State {
  const leavesQuickStop = state === "quick-stop-active" && command === "enable-operation";
  if (leavesQuickStop && quickStopOption >= 5 && quickStopOption <= 8) return "operation-enabled";
  return transitions[state][command] ?? state;
}
