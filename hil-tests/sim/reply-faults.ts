import { answerPdu, exceptionPdu } from "./modbus-pdu.ts";
import type { SimulatedDrive } from "./simulated-drive.ts";

/** Which requests a fault meets. */
export type FaultScope = "any" | "reads" | "writes";

/** Trouble on the way of a reply, as `POST /drives/{id}/faults` asks for it. */
export type ReplyFault = { times?: number; on?: FaultScope } & (
  | { kind: "silence"; execute?: boolean }
  | { kind: "late-reply"; delayMs: number }
  | { kind: "wrong-crc" }
  | { kind: "drop-bytes"; count: number }
  | { kind: "exception"; code: number }
  | { kind: "wrong-unit"; unit: number }
  | { kind: "stale-answer" }
);

/** What goes back on the wire; `cut` bytes are missing at the end. */
export interface Reply {
  unit: number;
  pdu: Buffer;
  delayMs: number;
  wrongCrc: boolean;
  cut: number;
}

const FAULTS_MAX = 32;
const OBJECT_FUNCTION = 0x2b;
const READ_FUNCTIONS: ReadonlySet<number> = new Set([1, 2, 3, 4]);

/** One drive at its place on a line: answers requests, through whatever faults are set. */
export class DrivePort {
  readonly drive: SimulatedDrive;
  #faults: { fault: ReplyFault; left: number }[] = [];
  #lastPdu: Buffer | undefined;

  constructor(drive: SimulatedDrive) {
    this.drive = drive;
  }

  get faults(): readonly ReplyFault[] {
    return this.#faults.map(({ fault }) => fault);
  }

  /** Sets a fault. Silence lasts until cleared, the others meet one request, unless `times` says otherwise. */
  add(fault: ReplyFault): boolean {
    if (this.#faults.length >= FAULTS_MAX) return false;
    const left = fault.times ?? (fault.kind === "silence" ? Number.POSITIVE_INFINITY : 1);
    this.#faults.push({ fault, left });
    return true;
  }

  clear(): void {
    this.#faults = [];
  }

  /** Runs the request and returns the reply, or nothing when the drive stays silent. */
  answer(pdu: Buffer, nowNs: bigint): Reply | undefined {
    this.drive.advance(nowNs);
    if (!this.drive.answering) return undefined;
    const fault = this.#take(pdu);
    if (fault?.kind === "silence" && fault.execute !== true) return undefined;
    const { packets } = this.drive;
    if (fault?.kind === "exception") {
      return this.#reply(packets ? Buffer.of(fault.code) : exceptionPdu(pdu[0] ?? 0, fault.code));
    }
    const stale = this.#lastPdu;
    const fresh = packets ? packets.answer(pdu) : answerPdu(this.drive, pdu);
    if (!fresh) return undefined;
    this.#lastPdu = fresh;
    if (fault?.kind === "silence") return undefined;
    const reply = this.#reply(fault?.kind === "stale-answer" && stale ? stale : fresh);
    if (fault?.kind === "late-reply") reply.delayMs = fault.delayMs;
    if (fault?.kind === "wrong-crc") reply.wrongCrc = true;
    if (fault?.kind === "drop-bytes") reply.cut = fault.count;
    if (fault?.kind === "wrong-unit") reply.unit = fault.unit;
    return reply;
  }

  #reply(pdu: Buffer): Reply {
    return { unit: this.drive.unit, pdu, delayMs: 0, wrongCrc: false, cut: 0 };
  }

  #take(pdu: Buffer): ReplyFault | undefined {
    const reads = this.drive.packets?.isRead(pdu) ?? readsModbus(pdu);
    const scope: FaultScope = reads ? "reads" : "writes";
    const met = this.#faults.find(({ fault }) => (fault.on ?? "any") === "any" || fault.on === scope);
    if (!met) return undefined;
    met.left -= 1;
    if (met.left <= 0) this.#faults = this.#faults.filter((entry) => entry !== met);
    return met.fault;
  }
}

/** In object telegrams the byte behind the type tells reads (0) from writes (dryve D1). */
const readsModbus = (pdu: Buffer): boolean =>
  READ_FUNCTIONS.has(pdu[0] ?? 0) || (pdu[0] === OBJECT_FUNCTION && pdu[2] === 0);
