/** The answer PDU to a read of registers (FC03), every register holding its own address. Pure. */
export function readAnswer(pdu: Buffer): Buffer {
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  const answer = Buffer.alloc(2 + 2 * count);
  answer[0] = pdu[0] ?? 0;
  answer[1] = 2 * count;
  for (let at = 0; at < count; at++) answer.writeUInt16BE((address + at) & 0xffff, 2 + 2 * at);
  return answer;
}
