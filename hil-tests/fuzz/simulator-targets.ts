import type { Clock, Random } from "@servofleet/runtime/clock";
import { LeadshineDrive } from "../sim/leadshine-drive.ts";
import { crcFits, withCrc } from "../sim/modbus-crc.ts";
import { answerPdu } from "../sim/modbus-pdu.ts";
import { RtuSlaves } from "../sim/modbus-rtu-slave.ts";
import { MrJeCDrive } from "../sim/mr-je-c-drive.ts";
import { DrivePort } from "../sim/reply-faults.ts";
import { between, type FuzzTarget, hex, must, pick } from "./fuzz-target.ts";
import { mutate, pieces } from "./mutate.ts";

const UNIT = 3;
const BAUD = 115_200;
/** A slave answers with 125 registers at most, in a frame of 256 bytes. */
const FRAME_MAX_BYTES = 256;

/** Time that stands until it is told to pass: no timer is left behind, and no promise is needed. */
class StandingClock implements Clock {
  #due = new Set<() => void>();
  #ns = 0n;
  monotonicMs = () => Number(this.#ns) / 1e6;
  monotonicNs = () => this.#ns;
  wallUs = () => 0;
  after(_ms: number, fn: () => void) {
    this.#due.add(fn);
    return { cancel: () => void this.#due.delete(fn) };
  }
  every = () => ({ cancel: () => undefined });
  soon = (fn: () => void) => void this.after(0, fn);
  pass(): void {
    this.#ns += 10_000_000n;
    const due = [...this.#due];
    this.#due.clear();
    for (const fn of due) fn();
  }
}

const word = (value: number) => [value >>> 8, value & 0xff];

function requestPdu(random: Random): Uint8Array {
  const address = between(random, 0, 1) ? between(random, 0, 0xffff) : between(random, 0x6000, 0x6010);
  const count = between(random, 1, 6);
  const values = [...random.bytes(2 * count)];
  return Uint8Array.from(
    pick(random, [
      [3, ...word(address), ...word(count)],
      [6, ...word(address), ...values.slice(0, 2)],
      [16, ...word(address), ...word(count), 2 * count, ...values],
      [8, 0, 0, ...values.slice(0, 2)],
    ]),
  );
}

/** The slave end of a simulated line: whatever comes, each answer is a whole frame of one of its units. */
function rtuSlaveTarget(): FuzzTarget {
  const run = (random: Random): void => {
    const clock = new StandingClock();
    const sent: Buffer[] = [];
    const ports = [new DrivePort(new LeadshineDrive("d", UNIT))];
    const slaves = new RtuSlaves(ports, clock, (bytes) => sent.push(Buffer.from(bytes)), BAUD, 0);
    const requests = Array.from({ length: between(random, 1, 3) }, () =>
      withCrc(Buffer.concat([Buffer.of(pick(random, [UNIT, UNIT, UNIT, 0, 9])), requestPdu(random)])),
    );
    const whole = between(random, 0, 5) === 0;
    const bytes = whole ? (requests[0] ?? Buffer.alloc(0)) : mutate(random, Buffer.concat(requests));
    for (const piece of pieces(random, bytes)) slaves.receive(Buffer.from(piece));
    clock.pass();
    clock.pass();
    const facts = () => ({ bytes: hex(bytes), sent: sent.map(hex) });
    for (const frame of sent) {
      must(crcFits(frame) && frame.length <= FRAME_MAX_BYTES, "an answer that is no frame", facts);
      must(bytes.includes(frame[0] ?? 0), "an answer of nobody who was asked", facts);
      must(
        (frame[1] !== undefined && bytes.includes(frame[1] & 0x7f)) || ((frame[1] ?? 0) & 0x80) !== 0,
        "an answer to no function that was asked",
        facts,
      );
    }
    const answers = whole && bytes[0] === UNIT ? 1 : 0;
    must(!whole || sent.length === answers, "a good request without its one answer", facts);
  };
  return { name: "sim-rtu-slave", share: 1, run };
}

/** The PDU server in front of two drives: the function comes back, with its error bit or with a body that fits. */
function pduTarget(): FuzzTarget {
  const run = (random: Random): void => {
    const drive = between(random, 0, 1) ? new LeadshineDrive("d", UNIT) : new MrJeCDrive("m", UNIT);
    const asked = between(random, 0, 3) ? mutate(random, requestPdu(random)) : Buffer.from(requestPdu(random));
    const pdu = answerPdu(drive, asked);
    const facts = () => ({ model: drive.model, asked: hex(asked), pdu: hex(pdu) });
    const code = asked[0] ?? 0;
    must(((pdu[0] ?? 0) & 0x7f) === (code & 0x7f), "another function", facts);
    if ((pdu[0] ?? 0) & 0x80) must(pdu.length === 2 && (pdu[1] ?? 0) > 0, "an exception without its code", facts);
    else if (code === 3)
      must(pdu.length === 2 + (pdu[1] ?? 0) && pdu[1] === 2 * asked.readUInt16BE(3), "another byte count", facts);
    else if (code === 6 || code === 16) must(pdu.equals(asked.subarray(0, 5)), "another echo", facts);
  };
  return { name: "sim-pdu", share: 1, run };
}

export const SIMULATOR_TARGETS: readonly FuzzTarget[] = [rtuSlaveTarget(), pduTarget()];
