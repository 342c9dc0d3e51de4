import type { LinkConfig } from "@servofleet/contracts";
import type { ModbusRequest } from "../link/link.ts";
import type { CodecReply } from "../modbus/codec-reply.ts";
import { withCrc } from "../modbus/crc16.ts";
import { type ExpectedReply, expectedReply } from "../modbus/expected-reply.ts";
import type { Framer } from "../modbus/framer.ts";
import { MbapFramer } from "../modbus/mbap-framer.ts";
import { ModbusCodec } from "../modbus/modbus-codec.ts";
import { RtuFramer } from "../modbus/rtu-framer.ts";
import { dynamixelPacket } from "../servo-bus/dynamixel-packet.ts";
import { feetechPacket } from "../servo-bus/feetech-packet.ts";
import { dynamixelProtocol, feetechProtocol, ServoCodec } from "../servo-bus/servo-codec.ts";
import { ServoFramer } from "../servo-bus/servo-framer.ts";
import { type DeviceIdentification, identificationRequest, readIdentification } from "./device-identification.ts";
import type { ScanSession } from "./scan-session.ts";

/** The only register request that a scan can make. */
export type ReadRequest = Extract<ModbusRequest, { fn: "read" }>;

/** The questions of a scan. None of them writes; there is no way to ask for one that does. */
export interface ScanTalk {
  /** Whether anything answers; a servo's ping also tells its model. Null: silence. */
  ping(unit: number): Promise<{ readonly model: number | null } | null>;
  /** Registers, or null for a refusal or silence. */
  read(unit: number, request: ReadRequest): Promise<readonly number[] | null>;
  /** What a Modbus unit says of itself; null when it does not. */
  identification(unit: number): Promise<DeviceIdentification | null>;
}

/** Any register will do: an exception is an answer too. */
const FIRST_REGISTER: ReadRequest = { fn: "read", address: 0, quantity: 1 };
/** Model number of a Feetech servo: bytes 3 and 4 (FTServo_Python; lerobot tables). */
const FEETECH_MODEL: ReadRequest = { fn: "read", address: 3, quantity: 2 };
/** Instruction of both servo protocols (e-manual, Protocol 2.0; FTServo_Python). */
const PING = 0x01;
const DYNAMIXEL_PING_DATA_BYTES = 3;
const MBAP_BYTES = 6;

/** The questions in the language of a link kind. `waitMs` bounds the wait for each answer. */
export function scanTalk(kind: LinkConfig["kind"], session: ScanSession, waitMs: number): ScanTalk {
  if (kind === "dynamixel" || kind === "feetech") return servoTalk(kind, session, waitMs);
  const framer = kind === "modbus-tcp" ? new MbapFramer(0) : new RtuFramer();
  const codec = new ModbusCodec();
  const ask = (unit: number, request: ReadRequest) => {
    let reply: CodecReply | undefined;
    const frame = codec.begin(unit, request, (one) => {
      reply = one;
    });
    return matched(session, waitMs, framer, frame, expectedReply(unit, request), (adu) => {
      codec.deliver(adu);
      return reply;
    });
  };
  return {
    ping: async (unit) => ((await ask(unit, FIRST_REGISTER)) ? { model: null } : null),
    read: async (unit, request) => registersOf(await ask(unit, request)),
    identification: (unit) => identify(kind, session, waitMs, unit),
  };
}

function servoTalk(kind: "dynamixel" | "feetech", session: ScanSession, waitMs: number): ScanTalk {
  const protocol = kind === "dynamixel" ? dynamixelProtocol : feetechProtocol;
  const framer = new ServoFramer(protocol.shape);
  const read = async (unit: number, request: ReadRequest) => {
    const codec = new ServoCodec(protocol);
    let reply: CodecReply | undefined;
    const packet = codec.begin(unit, request, (one) => {
      reply = one;
    });
    const answer = await matched(session, waitMs, framer, packet, codec.expected(unit, request), (adu) => {
      codec.deliver(adu);
      return reply;
    });
    return registersOf(answer);
  };
  return {
    async ping(unit) {
      const length = kind === "dynamixel" ? DYNAMIXEL_PING_DATA_BYTES : 0;
      const packet = kind === "dynamixel" ? dynamixelPacket(unit, PING, []) : feetechPacket(unit, PING, []);
      const expected = { unit, functionCode: 0, length, fixed: [] };
      const status = await matched(session, waitMs, framer, packet, expected, (adu) => protocol.shape.status(adu));
      if (!status) return null;
      const [low, high] = kind === "dynamixel" ? status.data : ((await read(unit, FEETECH_MODEL)) ?? []);
      return { model: low === undefined || high === undefined ? null : low | (high << 8) };
    },
    read,
    identification: async () => null,
  };
}

/** One question whose answer a framer finds; null when none came. */
async function matched<T>(
  session: ScanSession,
  waitMs: number,
  framer: Framer,
  frame: Uint8Array,
  expected: ExpectedReply,
  decode: (adu: Uint8Array) => T | undefined,
): Promise<T | null> {
  const { wire } = framer.begin(frame, expected);
  const answer = await session.ask(wire, waitMs, (bytes) => {
    for (const finding of framer.push(bytes)) if (finding.type === "reply") return decode(finding.adu);
    return undefined;
  });
  framer.end();
  return answer;
}

async function identify(
  kind: LinkConfig["kind"],
  session: ScanSession,
  waitMs: number,
  unit: number,
): Promise<DeviceIdentification | null> {
  const pdu = identificationRequest(unit);
  const onTcp = kind === "modbus-tcp";
  const wire = onTcp ? Uint8Array.of(0, 0, 0, 0, 0, pdu.length, ...pdu) : withCrc(pdu);
  let got = new Uint8Array(0);
  const answer = await session.ask(wire, waitMs, (bytes) => {
    got = Uint8Array.of(...got, ...bytes);
    const identified = readIdentification(onTcp ? got.subarray(MBAP_BYTES) : got, unit, !onTcp);
    return identified === undefined ? undefined : { identified };
  });
  return answer?.identified ?? null;
}

const registersOf = (reply: CodecReply | null): readonly number[] | null =>
  reply?.type === "registers" ? reply.registers : null;
