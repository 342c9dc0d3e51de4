import type { Random } from "@servofleet/runtime/clock";
import type { CodecReply } from "../../firmware-bridge/modbus/codec-reply.ts";
import { expectedReply } from "../../firmware-bridge/modbus/expected-reply.ts";
import type { Finding, Framer } from "../../firmware-bridge/modbus/framer.ts";
import { MbapFramer } from "../../firmware-bridge/modbus/mbap-framer.ts";
import { ModbusCodec } from "../../firmware-bridge/modbus/modbus-codec.ts";
import { RtuFramer } from "../../firmware-bridge/modbus/rtu-framer.ts";
import { crcFits, withCrc } from "../sim/modbus-crc.ts";
import { between, type FuzzTarget, hex, must, pick } from "./fuzz-target.ts";
import { codeOf, misfit, type PlainRequest, randomRequest, rightAnswer, valuesOf } from "./modbus-traffic.ts";
import { mutate, pieces } from "./mutate.ts";

/** Puts a unit and a PDU on a wire, and takes them off it again (undefined where it cannot be a frame of this wire). */
export interface WireForm {
  readonly name: string;
  readonly framer: (random: Random) => Framer;
  readonly frame: (unit: number, pdu: readonly number[], request: Uint8Array) => Buffer;
  /** PDU of an answer as it stood on the wire, when unit, ids and checksum are those of the request. */
  readonly pdu: (wire: Uint8Array, unit: number, request: Uint8Array) => Uint8Array | undefined;
}

export const RTU: WireForm = {
  name: "rtu-framer",
  framer: () => new RtuFramer(),
  frame: (unit, pdu) => withCrc(Uint8Array.from([unit, ...pdu])),
  pdu: (wire, unit) => (crcFits(wire) && wire[0] === unit ? wire.subarray(1, -2) : undefined),
};

const MBAP: WireForm = {
  name: "mbap-framer",
  framer: (random) => new MbapFramer(between(random, 0, 0xffff)),
  frame: (unit, pdu, request) =>
    Buffer.from([
      request[0] ?? 0,
      request[1] ?? 0,
      0,
      0,
      (pdu.length + 1) >>> 8,
      (pdu.length + 1) & 0xff,
      unit,
      ...pdu,
    ]),
  pdu: (wire, unit, request) => {
    const headed = wire[0] === request[0] && wire[1] === request[1] && wire[2] === 0 && wire[3] === 0;
    const length = ((wire[4] ?? 0) << 8) | (wire[5] ?? 0);
    return headed && length === wire.length - 6 && wire[6] === unit ? wire.subarray(7) : undefined;
  },
};

interface Asked {
  readonly unit: number;
  readonly request: PlainRequest;
  readonly wire: Uint8Array;
}

/** Several requests in a row to one framer, each met by right, damaged, foreign and late bytes. */
export function framerTarget(form: WireForm): FuzzTarget {
  const codec = new ModbusCodec();
  const run = (random: Random): void => {
    const framer = form.framer(random);
    let late: Buffer = Buffer.alloc(0);
    for (let n = between(random, 1, 3); n > 0; n--) {
      const [unit, request] = [between(random, 1, 4), randomRequest(random)];
      let decoded: CodecReply | undefined;
      const adu = codec.begin(unit, request, (reply) => {
        decoded = reply;
      });
      const { wire, findings } = framer.begin(adu, expectedReply(unit, request));
      must(!findings.some(isReply), "an answer before the request", () => ({ wire: hex(wire) }));
      const asked: Asked = { unit, request, wire: Uint8Array.from(wire) };
      const answer = form.frame(unit, rightAnswer(random, request), asked.wire);
      const { bytes, whole: alone } = traffic(random, form, asked, answer, late);
      // Later on, half a frame or an echo from before may rightly cost an answer; it never may make one.
      const whole = alone && late.length === 0;
      const found = pieces(random, bytes).flatMap((piece) => [...framer.push(piece)]);
      const replies = found.filter(isReply);
      const facts = () => ({
        request,
        unit,
        wire: hex(asked.wire),
        bytes: hex(bytes),
        found: replies.map((r) => hex(r.wire)),
      });
      must(replies.length <= 1, "two answers to one request", facts);
      must(!whole || replies.length === 1, "the right answer was not found", facts);
      const [reply] = replies;
      if (reply) checkReply(form, asked, reply, whole ? answer : undefined, facts);
      if (reply) codec.deliver(reply.adu);
      else codec.abandon();
      if (reply) checkDecoded(asked, form, reply, decoded, facts);
      must(!framer.end().some(isReply), "an answer after the end", facts);
      late = answer;
    }
  };
  return { name: form.name, share: 1, run };
}

type Reply = Extract<Finding, { type: "reply" }>;
const isReply = (finding: Finding): finding is Reply => finding.type === "reply";

/** `whole`: nothing but the right answer, so it has to be found. */
function traffic(
  random: Random,
  form: WireForm,
  { unit, request, wire }: Asked,
  answer: Buffer,
  late: Buffer,
): { readonly bytes: Buffer; readonly whole: boolean } {
  const foreign = form.frame(between(random, 1, 4), rightAnswer(random, randomRequest(random)), wire);
  const exception = form.frame(unit, [codeOf(request) | 0x80, between(random, 1, 11)], wire);
  const damaged = mutate(random, pick(random, [answer, answer, exception, foreign]));
  const kind = between(random, 0, 7);
  if (kind === 0) return { bytes: answer, whole: true };
  const streams: [Buffer, ...Buffer[]] = [
    damaged,
    Buffer.concat([damaged, answer]),
    Buffer.concat([late, damaged]),
    Buffer.concat([foreign, answer, answer]),
    mutate(random, Buffer.concat([late, answer])),
    Buffer.concat([Buffer.from(wire), damaged]),
    Buffer.from(random.bytes(between(random, 0, 300))),
  ];
  return { bytes: streams[kind - 1] ?? streams[0], whole: false };
}

function checkReply(
  form: WireForm,
  { unit, request, wire }: Asked,
  reply: Reply,
  only: Buffer | undefined,
  facts: () => Record<string, unknown>,
): void {
  const pdu = form.pdu(reply.wire, unit, wire);
  must(pdu !== undefined, "an answer with a wrong checksum, unit or id", facts);
  const why = pdu && misfit(request, pdu);
  must(why === undefined, `an answer with ${why}`, facts);
  must(crcFits(reply.adu), "an answer in RTU form without its checksum", facts);
  must(!only || only.equals(reply.wire), "not the bytes that were sent", facts);
}

/** What modbus-serial makes of it is what stands there. */
function checkDecoded(
  { unit, wire, request }: Asked,
  form: WireForm,
  reply: Reply,
  decoded: CodecReply | undefined,
  facts: () => Record<string, unknown>,
): void {
  const pdu = form.pdu(reply.wire, unit, wire) ?? new Uint8Array(0);
  const refused = ((pdu[0] ?? 0) & 0x80) !== 0;
  const read = request.fn === "read";
  const wanted = refused
    ? { type: "exception", exceptionCode: pdu[1] }
    : read
      ? { type: "registers", registers: valuesOf(pdu) }
      : { type: "written" };
  must(JSON.stringify(decoded) === JSON.stringify(wanted), "the codec reads something else", () => ({
    ...facts(),
    decoded,
    wanted,
  }));
}

export const MODBUS_TARGETS: readonly FuzzTarget[] = [framerTarget(RTU), framerTarget(MBAP)];
