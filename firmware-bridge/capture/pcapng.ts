/** Block types and magics of pcapng (draft-ietf-opsawg-pcapng, 4.1 to 4.3). Everything here is little-endian. */
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const SECTION_LENGTH_UNKNOWN = -1n;

const OPTION_END = 0;
const OPTION_COMMENT = 1;
const SECTION_APPLICATION = 4;
const INTERFACE_NAME = 2;
const INTERFACE_DESCRIBED = 3;
const PACKET_FLAGS = 2;
const INBOUND = 1;
const OUTBOUND = 2;

/** Longer packets are cut and keep their true length beside it. */
export const CAPTURE_SNAP_BYTES = 1024;

/** What is captured, and by whom. */
export interface CaptureInterface {
  /** Number of the registry of link-layer header types (tcpdump.org/linktypes.html). */
  readonly linkType: number;
  readonly name: string;
  readonly description: string;
}

/** One packet; `atUs` is wall time in microseconds. */
export interface CapturedPacket {
  readonly atUs: number;
  readonly direction: "tx" | "rx";
  readonly bytes: Uint8Array;
  readonly comment?: string;
}

type Option = readonly [code: number, value: Uint8Array];

/** The beginning of a file with one interface. Times are microseconds, the format's own default. */
export function fileHead(application: string, { linkType, name, description }: CaptureInterface): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  section.writeUInt16LE(1, 4);
  section.writeUInt16LE(0, 6);
  section.writeBigInt64LE(SECTION_LENGTH_UNKNOWN, 8);
  const described = Buffer.alloc(8);
  described.writeUInt16LE(linkType, 0);
  described.writeUInt32LE(CAPTURE_SNAP_BYTES, 4);
  return Buffer.concat([
    block(SECTION_HEADER, [section, options([[SECTION_APPLICATION, Buffer.from(application)]])]),
    block(INTERFACE_DESCRIPTION, [
      described,
      options([
        [INTERFACE_NAME, Buffer.from(name)],
        [INTERFACE_DESCRIBED, Buffer.from(description)],
      ]),
    ]),
  ]);
}

/** One packet of the only interface. */
export function packetBlock({ atUs, direction, bytes, comment }: CapturedPacket): Buffer {
  const kept = bytes.subarray(0, CAPTURE_SNAP_BYTES);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(Math.floor(atUs / 2 ** 32), 4);
  head.writeUInt32LE(atUs % 2 ** 32, 8);
  head.writeUInt32LE(kept.length, 12);
  head.writeUInt32LE(bytes.length, 16);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(direction === "tx" ? OUTBOUND : INBOUND);
  const said: Option[] = comment === undefined ? [] : [[OPTION_COMMENT, Buffer.from(comment)]];
  return block(ENHANCED_PACKET, [head, padded(kept), options([[PACKET_FLAGS, flags], ...said])]);
}

function block(type: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const made = Buffer.alloc(body.length + 12);
  made.writeUInt32LE(type, 0);
  made.writeUInt32LE(made.length, 4);
  body.copy(made, 8);
  made.writeUInt32LE(made.length, made.length - 4);
  return made;
}

function options(list: readonly Option[]): Buffer {
  const each = [...list, [OPTION_END, new Uint8Array(0)] as const].map(([code, value]) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(code, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, padded(value)]);
  });
  return Buffer.concat(each);
}

function padded(bytes: Uint8Array): Buffer {
  const whole = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  return whole;
}
