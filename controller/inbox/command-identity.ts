import type { CommandId } from "@servofleet/contracts";
import type { Random } from "@servofleet/runtime/clock";
import { uuidV5 } from "@servofleet/runtime/random-id";

/** RFC 9562 appendix: the namespace of names that are URLs. */
const URL_NAMESPACE = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

/** Command ids of one log: the same principal and key name the same command, in this log and nowhere else. */
export class CommandIdentity {
  readonly #namespace: string;
  readonly #random: Random;

  constructor(logId: string, random: Random) {
    this.#namespace = uuidV5(URL_NAMESPACE, `servofleet:${logId}`);
    this.#random = random;
  }

  of(principal: string, key: string): CommandId {
    return uuidV5(this.#namespace, `${principal}\n${key}`) as CommandId;
  }

  /** A key for a request that brought none. */
  newKey(): string {
    return Buffer.from(this.#random.bytes(16)).toString("hex");
  }
}
