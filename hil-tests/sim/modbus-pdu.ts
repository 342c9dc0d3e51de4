import { type Exception, exceptionCode, isException, type RegisterBank } from "./register-bank.ts";

const READ_REGISTERS_MAX = 125;
const WRITE_REGISTERS_MAX = 123;

/**
 * Answers one request PDU (function code first) for one drive.
 * Modbus application protocol v1.1b3, 6.3, 6.6, 6.8, 6.12.
 */
export function answerPdu(bank: RegisterBank, pdu: Buffer): Buffer {
  const fc = pdu[0] ?? 0;
  if (!bank.functions.has(fc)) return exceptionPdu(fc, exceptionCode.wrongFunction);
  const own = bank.answerOwn?.(pdu);
  if (own) return own;
  switch (fc) {
    case 0x03:
      return withReadError(bank, answerRead(bank, pdu));
    case 0x06:
      return answerWriteOne(bank, pdu);
    case 0x08:
      return answerDiagnostics(pdu);
    case 0x10:
      return answerWriteMany(bank, pdu);
    default:
      return exceptionPdu(fc, exceptionCode.wrongFunction);
  }
}

/** Function code with the error bit, then the code. */
export function exceptionPdu(fc: number, code: number): Buffer {
  return Buffer.of((fc & 0x7f) | 0x80, code);
}

function withReadError({ readErrorFunction }: RegisterBank, reply: Buffer): Buffer {
  if (readErrorFunction !== undefined && reply[0] === 0x83) reply[0] = readErrorFunction;
  return reply;
}

function answerRead(bank: RegisterBank, pdu: Buffer): Buffer {
  if (pdu.length !== 5) return exceptionPdu(0x03, exceptionCode.wrongValue);
  const count = pdu.readUInt16BE(3);
  const tooLong = 5 + 2 * count > bank.messageBytesMax;
  if (count < 1 || count > READ_REGISTERS_MAX || tooLong) return exceptionPdu(0x03, exceptionCode.wrongValue);
  const values = bank.readRun(pdu.readUInt16BE(1), count);
  if (isException(values)) return exceptionPdu(0x03, values.exception);
  const reply = Buffer.alloc(2 + 2 * count);
  reply[0] = 0x03;
  reply[1] = 2 * count;
  for (const [n, value] of values.entries()) reply.writeUInt16BE(value & 0xffff, 2 + 2 * n);
  return reply;
}

function answerWriteOne(bank: RegisterBank, pdu: Buffer): Buffer {
  if (pdu.length !== 5) return exceptionPdu(0x06, exceptionCode.wrongValue);
  const refused = bank.writeRun(pdu.readUInt16BE(1), [pdu.readUInt16BE(3)]);
  return refused ? exceptionPdu(0x06, refused.exception) : Buffer.from(pdu);
}

function answerWriteMany(bank: RegisterBank, pdu: Buffer): Buffer {
  const refused = writeMany(bank, pdu);
  return refused ? exceptionPdu(0x10, refused.exception) : Buffer.from(pdu.subarray(0, 5));
}

function writeMany(bank: RegisterBank, pdu: Buffer): Exception | undefined {
  const wrong = { exception: exceptionCode.wrongValue };
  if (pdu.length < 6) return wrong;
  const count = pdu.readUInt16BE(3);
  if (count < 1 || count > WRITE_REGISTERS_MAX || pdu[5] !== 2 * count || pdu.length !== 6 + 2 * count) return wrong;
  if (pdu.length + 3 > bank.messageBytesMax) return wrong;
  const values = Array.from({ length: count }, (_, n) => pdu.readUInt16BE(6 + 2 * n));
  return bank.writeRun(pdu.readUInt16BE(1), values);
}

// Only sub-function 0, return query data, is echoed (6.8); the others count lines we do not have.
function answerDiagnostics(pdu: Buffer): Buffer {
  if (pdu.length < 5) return exceptionPdu(0x08, exceptionCode.wrongValue);
  return pdu.readUInt16BE(1) === 0 ? Buffer.from(pdu) : exceptionPdu(0x08, exceptionCode.wrongFunction);
}
