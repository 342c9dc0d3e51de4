import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type AxisStatus,
  COMMAND_STATE_AFTER,
  type Order,
  type RecordedEvent,
  TERMINAL_STATES,
} from "@servofleet/contracts";
import { verifyLog } from "@servofleet/controller/event-log/log-verify";
import type { Random } from "@servofleet/runtime/clock";
import { seededRandom } from "@servofleet/runtime/fake-clock";
import { openLogReader } from "@servofleet/runtime/log-reader";
import { LOG_FILE } from "@servofleet/runtime/log-schema";
import { systemClock } from "@servofleet/runtime/system-clock";
import { ControllerProcess, CRASH_AXES } from "./controller-process.ts";
import type { Weakness } from "./log-life-plan.ts";

/** Share of the commands whose caller waits for their end; the others are aborted by the next. */
const WAITING_SHARE = 0.7;
/** Share of the kills that fall into the start itself, before anything was answered. */
const EARLY_SHARE = 0.2;
/** A kill falls within so many answers after the controller serves again. */
const ANSWERS_MAX = 60;
/** Share of the answered commands that are asked for again under the same key. */
const REPEAT_SHARE = 0.2;
const AGAIN_MS = 5;
const PAGE = 1000;
const clock = systemClock();
const soon = (): Promise<void> => new Promise((resolve) => clock.after(AGAIN_MS, resolve));

/** What to kill. */
export interface KillPlan {
  readonly kills: number;
  readonly seed: number;
  readonly scratch: string;
  readonly enough?: () => boolean;
  /** A control: the log's writer is worse than ours. */
  readonly weakness?: Weakness;
  /** A control: each order counts as heard twice. */
  readonly doubles?: boolean;
}

/** How the controllers fared; all but the first three must be 0. */
export interface KillOutcome {
  readonly kills: number;
  readonly accepted: number;
  readonly orders: number;
  /** Answered by 202, and not in the log. */
  readonly lost: number;
  /** Orders of one command, or starts to one target, beyond the first. */
  readonly sentTwice: number;
  /** Orders of commands that the log does not know. */
  readonly sentUnlogged: number;
  /** Repeats that were given another command than the first time. */
  readonly otherCommand: number;
  /** Commands with more than one end, or with none although nothing is under way. */
  readonly wrongEnds: number;
  readonly flaw: string | null;
}

/** Nothing is lost, sent twice, or otherwise wrong. */
export const killsGood = (outcome: KillOutcome): boolean =>
  outcome.flaw === null &&
  outcome.lost + outcome.sentTwice + outcome.sentUnlogged + outcome.otherCommand + outcome.wrongEnds === 0;

/** Kills the controller under load again and again, and asks its log and its drives afterwards. */
export async function killTrial(plan: KillPlan): Promise<KillOutcome> {
  const directory = await mkdtemp(join(plan.scratch, "kill-"));
  try {
    return await new KillTrial(plan, directory).run();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

class KillTrial {
  readonly #plan: KillPlan;
  readonly #directory: string;
  readonly #random: Random;
  /** Command by key. */
  readonly #accepted = new Map<string, string>();
  readonly #orders: Order[] = [];
  #drives: ReadonlyMap<string, AxisStatus> = new Map();
  #otherCommand = 0;
  #answers = 0;
  #targets = 0;
  #over = false;
  #life: ControllerProcess | undefined;

  constructor(plan: KillPlan, directory: string) {
    this.#plan = plan;
    this.#directory = directory;
    this.#random = seededRandom(plan.seed);
  }

  async run(): Promise<KillOutcome> {
    let kills = 0;
    let spare = this.#spare();
    const callers = CRASH_AXES.map((axis) => this.#call(axis));
    try {
      while (kills < this.#plan.kills && !this.#plan.enough?.()) {
        const life = spare;
        const early = this.#random.next() < EARLY_SHARE;
        const answers = Math.floor(this.#random.next() * ANSWERS_MAX);
        await this.#begin(life, early);
        spare = this.#spare();
        for (const until = this.#answers + answers; this.#answers < until && !early; ) await soon();
        life.kill("SIGKILL");
        await life.end();
        kills += 1;
      }
      await this.#begin(spare, false);
      this.#over = true;
      await Promise.all(callers);
      await this.#settled(spare);
    } finally {
      this.#over = true;
      spare.kill("SIGTERM");
      await spare.end();
    }
    return this.#judge(kills);
  }

  #spare(): ControllerProcess {
    return new ControllerProcess(this.#directory, { weakness: this.#plan.weakness ?? "none" });
  }

  async #begin(life: ControllerProcess, early: boolean): Promise<void> {
    await life.start(this.#drives, (order) => {
      this.#orders.push(order);
      if (this.#plan.doubles) this.#orders.push(order);
    });
    this.#drives = life.bridge.status;
    this.#life = life;
    if (!early) await life.ready();
  }

  /** One caller: a command under a key of its own, asked for until it is answered; now and then once more. */
  async #call(axis: string): Promise<void> {
    while (!this.#over) {
      const key = randomUUID();
      // No two moves share a target: a second start would name its command.
      const position = (++this.#targets % 80_000) / 100;
      const repeats = this.#random.next() < REPEAT_SHARE ? 2 : 1;
      for (let n = 0; n < repeats; n++) await this.#insist(axis, key, position);
    }
  }

  async #insist(axis: string, key: string, position: number): Promise<void> {
    const body = { type: "MoveAbsolute", position, velocity: 100 };
    const headers = { "idempotency-key": key, ...(this.#random.next() < WAITING_SHARE ? { prefer: "wait=1" } : {}) };
    for (;;) {
      const answer = await this.#life?.ask("POST", `/v1/axes/${axis}/commands`, body, headers).catch(() => undefined);
      if (answer?.status === 202 || answer?.status === 200) {
        const command = String(answer.body["commandId"]);
        this.#answers += 1;
        if ((this.#accepted.get(key) ?? command) !== command) this.#otherCommand += 1;
        this.#accepted.set(key, command);
        return;
      }
      // A person looks at an axis whose last command is open, and lets it go on.
      if (answer && answer.status === 409) await this.#reconcile(axis);
      if (answer && answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
        this.#answers += 1;
        await soon();
        return;
      }
      await soon();
    }
  }

  async #reconcile(axis: string): Promise<void> {
    await this.#life?.ask("POST", `/v1/axes/${axis}/reconcile`, { decision: "abandon" }).catch(() => undefined);
  }

  /** Nothing is under way any more: every accepted command has its end in the log. */
  async #settled(life: ControllerProcess): Promise<void> {
    const endMs = clock.monotonicMs() + 20_000;
    while (clock.monotonicMs() < endMs && !life.ended) {
      const events = await this.#events();
      if (openCommands(events).length === 0) return;
      await soon();
    }
  }

  async #events(): Promise<RecordedEvent[]> {
    const reader = await openLogReader({ file: join(this.#directory, LOG_FILE), clock });
    try {
      const all: RecordedEvent[] = [];
      for (;;) {
        const page = await reader.readAfter(all.length, PAGE);
        all.push(...page);
        if (page.length < PAGE) return all;
      }
    } finally {
      await reader.close();
    }
  }

  async #judge(kills: number): Promise<KillOutcome> {
    const events = await this.#events();
    const known = new Set(events.map(({ id }) => id));
    const verified = await verifyLog(join(this.#directory, LOG_FILE), clock);
    const moves = this.#orders.filter(({ action }) => action.kind === "move-absolute");
    const targets = moves.map(({ axis, action }) => `${axis} ${JSON.stringify(action)}`);
    const commands = this.#orders.map(({ commandId }) => commandId);
    return {
      kills,
      accepted: new Set(this.#accepted.values()).size,
      orders: this.#orders.length,
      lost: [...this.#accepted.values()].filter((id) => !known.has(id)).length,
      sentTwice: Math.max(repeats(commands), this.#targets < 80_000 ? repeats(targets) : 0),
      sentUnlogged: commands.filter((id) => !known.has(id)).length,
      otherCommand: this.#otherCommand,
      wrongEnds: openCommands(events).length + twiceEnded(events),
      flaw: verified.firstBad ? JSON.stringify(verified.firstBad) : null,
    };
  }
}

const repeats = (names: readonly string[]): number => names.length - new Set(names).size;

const ends = (events: readonly RecordedEvent[]): string[] =>
  events.flatMap(({ type, commandId }) => {
    const state = COMMAND_STATE_AFTER[type];
    return commandId && state !== undefined && TERMINAL_STATES.has(state) ? [commandId] : [];
  });
const twiceEnded = (events: readonly RecordedEvent[]): number => repeats(ends(events));
function openCommands(events: readonly RecordedEvent[]): string[] {
  const ended = new Set(ends(events));
  return events.flatMap(({ id, commandId }) => (commandId && id === commandId && !ended.has(id) ? [id] : []));
}
