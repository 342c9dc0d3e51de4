import type { Frame } from "@servofleet/contracts";
import { parseRfc3339 } from "@servofleet/contracts";
import { crc16 } from "../modbus/crc16.ts";
import { EXPORTED_PDU_LINK_TYPE, exportedPdu } from "./exported-pdu.ts";
import { type CaptureInterface, fileHead, packetBlock } from "./pcapng.ts";
import { IPV4_LINK_TYPE, TcpPackets } from "./tcp-packets.ts";

const APPLICATION = "servofleet";
/** Unit, function code, CRC. */
const RTU_FRAME_MIN_BYTES = 4;

/** A link as far as its capture goes; `host` and `port` are a socket's, or `port` a serial device. */
export interface CapturedLink {
  readonly id: string;
  readonly kind: string;
  readonly host?: string;
  readonly port: string | number;
}

/** What a file of a link's frames is made of: its beginning, then a block for each frame in the order they were seen. */
export interface LinkCapture {
  readonly head: Buffer;
  readonly block: (frame: Frame) => Buffer;
}

type Wrap = (direction: Frame["direction"], bytes: Buffer) => Buffer;

/** Picks the form in which Wireshark decodes this kind of link without a setting. */
export function linkCapture(link: CapturedLink): LinkCapture {
  const { wrap, ...captured } = formOf(link);
  return {
    head: fileHead(APPLICATION, { ...captured, name: link.id }),
    block: ({ direction, at, hex }) => {
      const bytes = Buffer.from(hex, "hex");
      return packetBlock({ atUs: parseRfc3339(at) ?? 0, direction, bytes: wrap(direction, bytes) });
    },
  };
}

function formOf(link: CapturedLink): Omit<CaptureInterface, "name"> & { readonly wrap: Wrap } {
  const where = link.host === undefined ? String(link.port) : `${link.host}:${link.port}`;
  if (link.kind === "modbus-tcp") {
    const packets = new TcpPackets(link.host ?? "");
    return {
      linkType: IPV4_LINK_TYPE,
      description: `${link.kind} ${where}; IP and TCP headers are made up, the port is shown as 502`,
      wrap: (direction, bytes) => packets.wrap(direction, bytes),
    };
  }
  const isRtu = link.kind === "modbus-rtu" || link.kind === "modbus-rtu-over-tcp";
  return {
    linkType: EXPORTED_PDU_LINK_TYPE,
    description: `${link.kind} ${where}`,
    // Noise and servo buses have no dissector: their bytes are shown as they are, never as a malformed frame of Modbus.
    wrap: (direction, bytes) => exportedPdu(isRtu && isRtuFrame(bytes) ? "mbrtu" : "data", direction, bytes),
  };
}

const isRtuFrame = (bytes: Uint8Array): boolean =>
  bytes.length >= RTU_FRAME_MIN_BYTES && crc16(bytes, 0, bytes.length) === 0;
