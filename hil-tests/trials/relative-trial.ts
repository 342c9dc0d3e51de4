import type { CommandState, CommandView, OrderMessage, RecordedEvent } from "@servofleet/contracts";
import type { Reply } from "@servofleet/controller/testing/ask-socket";
import { NO_FAULTS } from "@servofleet/firmware-bridge/link/testing/virtual-line";
import type { MotionWrite } from "../sim/drive-record.ts";
import { VirtualBox } from "./virtual-box.ts";
import { virtualFleet } from "./virtual-fleet.ts";
import { spoiledBus } from "./watched-bus.ts";

/** What meets the frames of a trial: answers that are lost, doubled or late, and requests that never arrive. */
const BAD = { loss: 0.16, flips: 0.02, duplicates: 0.1, late: 0.06 } as const;
const COUNTS_PER_UNIT = 100;
/** Units; one move is short, so that many fit into one box. */
const WAY_MAX = 8;
const MIDDLE = 2000;
const ENDS_AFTER = { prefer: "wait=20" } as const;
const AXIS = "/v1/axes/a1";

export interface RelativeResult {
  readonly seed: number;
  readonly moves: number;
  readonly ends: Readonly<Partial<Record<CommandState, number>>>;
  /** Writes whose answer did not come, those of them that reading proved, and orders that came twice. */
  readonly unknownOutcomes: number;
  readonly settledByReading: number;
  readonly ordersTwice: number;
  /** Moves whose request was repeated by its client. */
  readonly repeated: number;
  /** Moves that started more than once, were asked of the drive as relative, went further than asked or ended as told wrong. */
  readonly doubled: number;
  readonly broken: readonly string[];
}

export interface RelativeOptions {
  readonly seed: number;
  readonly moves: number;
  /** A bridge that does not know an order again: the trial has to find it out. */
  readonly forgetful?: boolean;
}

/** Relative moves over a bad line with doubled orders and repeated requests; the drive's own record is the judge. */
export async function runRelativeMoves({ seed, moves, forgetful = false }: RelativeOptions): Promise<RelativeResult> {
  let twice = 0;
  const later: OrderMessage[] = [];
  const orders = (message: OrderMessage): readonly OrderMessage[] => {
    if (message.type !== "order") return [message];
    twice += 1;
    if (forgetful) later.push({ ...message, order: { ...message.order, orderId: `${message.order.orderId} again` } });
    return [message, message];
  };
  const box = await VirtualBox.start({
    seed,
    ...virtualFleet({ models: ["leadshine-icl-rs"] }),
    bus: (end) => spoiledBus(end, { orders, beat: () => later.splice(0) }),
  });
  try {
    const result = await new RelativeTrial(box, seed).run(moves);
    return { ...result, ordersTwice: twice };
  } finally {
    await box.close();
  }
}

class RelativeTrial {
  readonly #box: VirtualBox;
  readonly #seed: number;
  readonly #ends: Partial<Record<CommandState, number>> = {};
  readonly #broken: string[] = [];
  #repeated = 0;

  constructor(box: VirtualBox, seed: number) {
    this.#box = box;
    this.#seed = seed;
  }

  async run(moves: number): Promise<Omit<RelativeResult, "ordersTwice">> {
    await this.#prepare();
    for (let n = 0; n < moves; n++) await this.#move(n);
    const [ends, broken, repeated] = [this.#ends, this.#broken, this.#repeated];
    const events = await this.#box.events();
    const unknownOutcomes = events.filter(({ type }) => type === "DispatchUnknown").length;
    const ofReading = ({ data }: RecordedEvent) => "settledByReading" in data && data.settledByReading === true;
    const settledByReading = events.filter(ofReading).length;
    const found = { unknownOutcomes, settledByReading, repeated, doubled: broken.length, broken };
    return { seed: this.#seed, moves, ends, ...found };
  }

  async #move(n: number): Promise<void> {
    const { random, plant } = this.#box;
    const drive = this.#box.drive("a1");
    const from = drive.motor.position;
    const seq = drive.record.list().at(-1)?.seq ?? 0;
    const way = 1 + Math.round(random.next() * (WAY_MAX - 1));
    const distance = (from / COUNTS_PER_UNIT > MIDDLE ? -1 : 1) * way;
    const key = `${this.#seed}.${n}`;
    plant.line.faults = BAD;
    const answers = [this.#post({ type: "MoveRelative", distance, velocity: 400 }, key)];
    if (random.next() < 0.5) {
      this.#repeated += 1;
      answers.push(this.#post({ type: "MoveRelative", distance, velocity: 400 }, key));
    }
    const [first] = await this.#box.through(Promise.all(answers));
    plant.line.faults = NO_FAULTS;
    await this.#box.until("the axis stands", () => !this.#box.drive("a1").state().moving);
    this.#judge(key, first, distance, from, drive.record.list(seq));
    if (first?.status !== 200 || first.body["state"] !== "succeeded") await this.#prepare();
  }

  #judge(key: string, reply: Reply | undefined, distance: number, from: number, record: readonly MotionWrite[]): void {
    const view = reply?.status === 200 ? (reply.body as unknown as CommandView) : undefined;
    const state = view?.state ?? "rejected";
    this.#ends[state] = (this.#ends[state] ?? 0) + 1;
    const starts = record.filter(({ kind }) => kind.startsWith("start"));
    const moved = this.#box.drive("a1").motor.position - from;
    const asked = distance * COUNTS_PER_UNIT;
    const window = 20;
    const further = Math.sign(asked) * moved - Math.abs(asked) > window || Math.sign(asked) * moved < -window;
    const untrue = state === "succeeded" && Math.abs(moved - asked) > window;
    const laws: readonly (readonly [boolean, string])[] = [
      [starts.length > 1, `${starts.length} starts`],
      [starts.some(({ kind }) => kind === "start-relative"), "asked of the drive as relative"],
      [further, `moved ${Math.round(moved)} of ${asked} counts`],
      [untrue, `told as ${state} after ${Math.round(moved)} of ${asked} counts`],
    ];
    for (const [isBroken, words] of laws) if (isBroken) this.#broken.push(`${key}: ${words}`);
  }

  /** What a person does after an open outcome, on a line that is well again. */
  async #prepare(): Promise<void> {
    const box = this.#box;
    for (let tries = 0; tries < 20; tries++) {
      await box.ask("POST", `${AXIS}/reconcile`, { body: { decision: "adopt" } });
      await box.through(this.#post({ type: "Reset" }));
      const enabled = await box.through(this.#post({ type: "Enable" }));
      if (enabled.status === 200 && enabled.body["state"] === "succeeded") return;
      await box.run(300);
    }
    throw new Error("the axis cannot be made ready");
  }

  #post(body: object, key?: string): Promise<Reply> {
    const headers = key === undefined ? ENDS_AFTER : { ...ENDS_AFTER, "idempotency-key": key };
    return this.#box.send("POST", `${AXIS}/commands`, { body, headers });
  }
}
