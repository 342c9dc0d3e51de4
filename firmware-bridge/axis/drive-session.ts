import type { Frame } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { type DriveTalk, HandshakeError, type WriteWeight } from "../handshake/drive-talk.ts";
import type { Link, ModbusRequest, TransactionClass, TransactionDone } from "../link/link.ts";
import { LinkError } from "../link/link.ts";
import type { DriveProfile, Values } from "../profile/drive-profile.ts";

/** A read whose answer did not come is asked again so often: reading moves nothing, and one lost answer ends no order. */
export const READ_TRIES = 3;

/** A session that may not go on: a stop, a newer order, a lost controller. Nothing of the transaction was sent. */
export class SessionEnded extends Error {
  override readonly name = "SessionEnded";
  readonly code = "session-ended";
  readonly facts: { readonly reason: string };
  readonly hint = "the order was overtaken; see its reason";
  constructor(reason: string) {
    super(`session ended: ${reason}`);
    this.facts = { reason };
  }
}

export interface SessionHooks {
  readonly class: TransactionClass;
  readonly readClass: TransactionClass;
  /** Why the session may not go on; asked before every transaction and right before each first byte. */
  readonly barred?: () => string | undefined;
  /** Deadline of the first write's first byte. */
  readonly notAfterMs?: number;
  /** Awaited before a decisive write, which may then leave in one frame with the starts of other axes. */
  readonly gather?: () => Promise<void>;
  readonly onFrames?: (frames: readonly Frame[]) => void;
  /** The first byte of a write is in the kernel. */
  readonly onWriteSent?: (weight: WriteWeight, wallUs: number, frame: Frame) => void;
  /** A write was answered. */
  readonly onWriteDone?: (weight: WriteWeight) => void;
}

/** A DriveTalk over one unit of a link. Every write goes at most once; nothing here repeats one, only reads. */
export class DriveSession implements DriveTalk {
  readonly #link: Link;
  readonly #unit: number;
  readonly #profile: DriveProfile;
  readonly #clock: Clock;
  readonly #hooks: SessionHooks;
  #written = false;

  constructor(link: Link, unit: number, profile: DriveProfile, clock: Clock, hooks: SessionHooks) {
    this.#link = link;
    this.#unit = unit;
    this.#profile = profile;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  async read(...names: readonly string[]): Promise<Values> {
    const request = this.#profile.read(...names);
    for (let tried = 1; ; tried++) {
      try {
        const done = await this.#transact(request, this.#hooks.readClass, null);
        return this.#profile.values(names, done.registers);
      } catch (error) {
        const lost = error instanceof LinkError && error.code === "no-reply";
        if (!lost || tried === READ_TRIES) throw error;
      }
    }
  }

  async write(entries: readonly (readonly [name: string, raw: number])[], weight: WriteWeight): Promise<void> {
    const request = this.#profile.write(entries);
    if (!request) throw new HandshakeError("unsupported", { entries }, "a value does not fit its register");
    if (weight === "decisive") await this.#hooks.gather?.();
    const { unanswered } = await this.#transact(request, this.#hooks.class, weight);
    if (unanswered) await this.#confirm(entries);
    this.#hooks.onWriteDone?.(weight);
  }

  /** Nobody answers a frame to several: the registers themselves tell whether it has arrived. */
  async #confirm(entries: readonly (readonly [name: string, raw: number])[]): Promise<void> {
    const found = await this.read(...entries.map(([name]) => name));
    if (entries.every(([name, raw]) => found.get(name) === raw)) return;
    const facts = { unit: this.#unit, written: Object.fromEntries(entries), found: Object.fromEntries(found) };
    throw new LinkError("no-reply", facts, "the drive reads back other values than were written to the group", true);
  }

  async pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(this.#clock, ms);
  }

  async waitFor(
    names: readonly string[],
    limitMs: number,
    what: string,
    done: (values: Values) => boolean,
  ): Promise<Values> {
    const untilMs = this.#clock.monotonicMs() + limitMs;
    for (;;) {
      const values = await this.read(...names);
      if (done(values)) return values;
      if (this.#clock.monotonicMs() >= untilMs) {
        const seen = [...values].map(([name, raw]) => `${name} 0x${(raw >>> 0).toString(16)}`).join(", ");
        throw new HandshakeError(
          "no-response",
          { what, limitMs },
          `waited ${limitMs} ms for ${what}; it shows ${seen}`,
        );
      }
      await sleep(this.#clock, this.#profile.data.timeouts.stepMs);
    }
  }

  async #transact(
    request: ModbusRequest,
    klass: TransactionClass,
    weight: WriteWeight | null,
  ): Promise<TransactionDone> {
    this.#checkBarred();
    const { notAfterMs, onFrames, onWriteSent } = this.#hooks;
    const deadline = weight !== null && !this.#written && notAfterMs !== undefined ? { notAfterMs } : {};
    let told: Frame | undefined;
    const untold = (frames: readonly Frame[]) =>
      frames.filter((frame) => frame.hex !== told?.hex || frame.at !== told.at);
    try {
      const done = await this.#link.transact(this.#unit, request, {
        class: klass,
        ...deadline,
        mayJoin: weight === "decisive" && this.#hooks.gather !== undefined,
        beforeFirstByte: () => this.#hooks.barred?.(),
        onSent: (sent) => {
          if (weight === null) return;
          this.#written = true;
          if (!onWriteSent) return;
          told = sent.frame;
          onWriteSent(weight, sent.wallUs, sent.frame);
        },
      });
      onFrames?.(untold(done.frames));
      return done;
    } catch (error) {
      assert(error instanceof LinkError, `a link must fail with LinkError: ${String(error)}`);
      onFrames?.(untold(error.frames));
      if (error.code === "withdrawn")
        throw new SessionEnded(this.#hooks.barred?.() ?? String(error.facts["reason"] ?? "withdrawn"));
      throw error;
    }
  }

  #checkBarred(): void {
    const reason = this.#hooks.barred?.();
    if (reason !== undefined) throw new SessionEnded(reason);
  }
}
