/**
 * LINKTYPE_WIRESHARK_UPPER_PDU: each packet names the dissector of its own bytes, so that a serial protocol opens in
 * Wireshark without any setting (epan/exported_pdu.h). Tags are big-endian and padded to four bytes.
 */
export const EXPORTED_PDU_LINK_TYPE = 252;

const END_OF_TAGS = 0;
const DISSECTOR_NAME = 12;
const PORT_TYPE = 24;
const SOURCE_PORT = 25;
const DESTINATION_PORT = 26;
/** EXP_PDU_PT_TCP. */
const TCP_PORTS = 2;

/**
 * Ports that no serial line has. `-o mbrtu.tcp.port:502` lets the Modbus RTU dissector tell a request from its echo by
 * them (FC06 and FC08 look alike in both directions).
 */
const DRIVE_PORT = 502;
const BRIDGE_PORT = 49_152;

/** `dissector`: a name that Wireshark knows, as `mbrtu`, or `data` for bytes that it has no word for. */
export function exportedPdu(dissector: string, direction: "tx" | "rx", bytes: Uint8Array): Buffer {
  const [from, to] = direction === "tx" ? [BRIDGE_PORT, DRIVE_PORT] : [DRIVE_PORT, BRIDGE_PORT];
  return Buffer.concat([
    tag(DISSECTOR_NAME, Buffer.from(dissector)),
    tag(PORT_TYPE, uint32(TCP_PORTS)),
    tag(SOURCE_PORT, uint32(from)),
    tag(DESTINATION_PORT, uint32(to)),
    tag(END_OF_TAGS, new Uint8Array(0)),
    bytes,
  ]);
}

function tag(code: number, value: Uint8Array): Buffer {
  const made = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  made.writeUInt16BE(code, 0);
  made.writeUInt16BE(made.length - 4, 2);
  made.set(value, 4);
  return made;
}

function uint32(value: number): Buffer {
  const made = Buffer.alloc(4);
  made.writeUInt32BE(value);
  return made;
}
