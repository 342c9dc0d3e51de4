import type { Complaint } from "@servofleet/runtime/schema-complaints";
import type { ProfileData } from "./profile-schema.ts";

const ADDRESS_MAX = 0xffff;
const WRITE_MANY = 16;

/** A row of values leaves in one request or not at all, and never writes a register that the profile knows as another. */
export function rowMisfits(profile: ProfileData): Complaint[] {
  const { registers, functions, registersMax, telegram } = profile;
  return Object.entries(profile.parameters).flatMap(([parameter, { register, count }]) => {
    const first = registers[register];
    if (count === undefined || !first) return [];
    const wrong = (found: string, allowed: string): Complaint => ({
      path: `parameters.${parameter}.count`,
      found,
      allowed,
      nearest: undefined,
    });
    const from = Number(first.address);
    const end = from + count * first.words;
    const inside = Object.entries(registers).filter(
      ([name, { address, words }]) => name !== register && Number(address) < end && Number(address) + words > from,
    );
    return [
      ...(telegram === "objects" ? [wrong(String(count), "one value: objects are written one at a time")] : []),
      ...(telegram === "registers" && !functions.includes(WRITE_MANY)
        ? [wrong(`a row without function ${WRITE_MANY}`, `${WRITE_MANY} (write many) under functions`)]
        : []),
      ...(end - from > registersMax
        ? [wrong(`${end - from} registers`, `at most ${registersMax} (registersMax): a row is one request`)]
        : []),
      ...(end - 1 > ADDRESS_MAX ? [wrong(`a row beyond 0xffff`, "addresses up to 0xffff")] : []),
      ...inside.map(([name]) => wrong(`${name} inside the row`, "a row that holds no other register of the profile")),
    ];
  });
}
