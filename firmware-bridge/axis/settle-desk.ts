import type { AxisStatus, Frame, Report, SettleRequest } from "@servofleet/contracts";
import type { AxisParts } from "./axis-parts.ts";
import type { Reading } from "./reading.ts";

/** Readings that an answer rests on. */
const READS_NEEDED = 2;
const REQUESTS_MAX = 64;
type Finding = Extract<Report, { type: "settled" }>["finding"];

interface Asked {
  readonly request: SettleRequest;
  readonly sinceMs: number;
  reads: number;
  frames: readonly Frame[];
}

/** Answers `settle`: what two fresh readings show. Writes nothing. */
export class SettleDesk {
  readonly #parts: AxisParts;
  readonly #status: () => AxisStatus;
  #asked: Asked[] = [];

  constructor(parts: AxisParts, status: () => AxisStatus) {
    this.#parts = parts;
    this.#status = status;
  }

  get waiting(): boolean {
    return this.#asked.length > 0;
  }

  ask(request: SettleRequest): void {
    const offline = this.#parts.offline();
    const asked = { request, sinceMs: this.#parts.clock.monotonicMs(), reads: 0, frames: [] };
    // A drive not read yet is not silent: its first readings answer.
    if ((offline && this.#status().reads > 0) || this.#asked.length >= REQUESTS_MAX) {
      this.#answer(asked, "silent");
      return;
    }
    this.#asked.push(asked);
  }

  reading(reading: Reading): void {
    for (const asked of this.#asked) {
      if (reading.startedMs < asked.sinceMs || reading.facts.enabled === null) continue;
      asked.reads++;
      asked.frames = [...asked.frames, ...reading.frames].slice(-8);
    }
    const ready = this.#asked.filter((asked) => asked.reads >= READS_NEEDED);
    this.#asked = this.#asked.filter((asked) => asked.reads < READS_NEEDED);
    for (const asked of ready) this.#answer(asked, this.#finding(asked.request, reading));
  }

  silent(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (const one of asked) this.#answer(one, "silent");
  }

  #finding({ targetCounts }: SettleRequest, { facts }: Reading): Finding {
    if (facts.fault === true) return "fault";
    if (facts.moving !== false || facts.busy === true) return "moving";
    if (targetCounts === null || facts.positionCounts === null) return "standing-elsewhere";
    const { positionWindowCounts } = this.#parts.drive.profile.data.settle;
    return Math.abs(facts.positionCounts - targetCounts) <= positionWindowCounts ? "in-position" : "standing-elsewhere";
  }

  #answer({ request, frames }: Asked, finding: Finding): void {
    const { commandId, axis } = request;
    const atUs = this.#parts.clock.wallUs();
    this.#parts.report({ type: "settled", commandId, axis, atUs, finding, status: this.#status(), frames });
  }
}
