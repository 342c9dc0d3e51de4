import { answerPdu } from "../modbus-pdu.ts";
import { i32, words } from "../register-bank.ts";
import type { SimulatedDrive } from "../simulated-drive.ts";

const STEP_MS = 1;

/** A drive on the bench without a line: register access by PDU, and time that only moves when told. */
export class DriveBench {
  readonly drive: SimulatedDrive;
  readonly #lowWordFirst: boolean;
  #nowNs = 1_000_000_000n;

  constructor(drive: SimulatedDrive, lowWordFirst: boolean) {
    this.drive = drive;
    this.#lowWordFirst = lowWordFirst;
    drive.advance(this.#nowNs);
  }

  /** Lets `ms` milliseconds pass. */
  run(ms: number): void {
    this.#nowNs += BigInt(Math.round(ms * 1e6));
    this.drive.advance(this.#nowNs);
  }

  /** Lets time pass until the condition holds; says false when it did not within `limitMs`. */
  until(condition: () => boolean, limitMs = 60_000): boolean {
    for (let spentMs = 0; spentMs < limitMs; spentMs += STEP_MS) {
      if (condition()) return true;
      this.run(STEP_MS);
    }
    return condition();
  }

  /** The reply PDU to a request PDU, in hex. */
  ask(pduHex: string): string {
    this.drive.advance(this.#nowNs);
    return answerPdu(this.drive, Buffer.from(pduHex.replaceAll(" ", ""), "hex")).toString("hex");
  }

  /** FC10 of the values; the exception code, or 0. */
  write(address: number, ...values: number[]): number {
    const body = Buffer.alloc(6 + 2 * values.length);
    body[0] = 0x10;
    body.writeUInt16BE(address, 1);
    body.writeUInt16BE(values.length, 3);
    body[5] = 2 * values.length;
    for (const [n, value] of values.entries()) body.writeUInt16BE(value & 0xffff, 6 + 2 * n);
    return exceptionOf(this.ask(body.toString("hex")));
  }

  write32(address: number, value: number): number {
    const [high, low] = words(value);
    return this.#lowWordFirst ? this.write(address, low, high) : this.write(address, high, low);
  }

  /** FC03; throws when the drive answers with an exception. */
  read(address: number, count = 1): number[] {
    const request = Buffer.of(3, address >> 8, address & 0xff, 0, count);
    const reply = Buffer.from(this.ask(request.toString("hex")), "hex");
    if (reply[0] !== 3) throw new Error(`exception ${reply[1]}`);
    return Array.from({ length: count }, (_, n) => reply.readUInt16BE(2 + 2 * n));
  }

  read1(address: number): number {
    return this.read(address)[0] ?? 0;
  }

  read32(address: number): number {
    const [first = 0, second = 0] = this.read(address, 2);
    return this.#lowWordFirst ? i32(second, first) : i32(first, second);
  }

  /** The kinds of the drive's record, in order. */
  kinds(): string[] {
    return this.drive.record.list().map(({ kind, obeyed }) => (obeyed ? kind : `${kind} (ignored)`));
  }
}

function exceptionOf(replyHex: string): number {
  const reply = Buffer.from(replyHex, "hex");
  return ((reply[0] ?? 0) & 0x80) === 0 ? 0 : (reply[1] ?? 0);
}
