import { isIPv4 } from "node:net";

/** LINKTYPE_IPV4: packets begin with the IPv4 header. */
export const IPV4_LINK_TYPE = 228;

/** Where every dissector looks for Modbus (Modbus messaging on TCP/IP v1.0b, 4.2); the true port is in the interface's description. */
const MODBUS_PORT = 502;
const BRIDGE_PORT = 49_152;
/** Stand-ins from the range for documentation (RFC 5737) where the socket's own address is not in the frames. */
const BRIDGE_ADDRESS = "192.0.2.1";
const UNNAMED_DRIVE_ADDRESS = "192.0.2.2";

const IP_BYTES = 20;
const TCP_BYTES = 20;
const TCP_PROTOCOL = 6;
const TIME_TO_LIVE = 64;
const PSH_ACK = 0x18;
const WINDOW = 0xffff;

/** Wraps what a socket carried in the headers that it had on the wire, with running sequence numbers (RFC 791, RFC 9293). */
export class TcpPackets {
  readonly #drive: Buffer;
  readonly #bridge: Buffer;
  /** Bytes seen so far, by direction. */
  readonly #next = { tx: 1, rx: 1 };

  constructor(host: string) {
    this.#drive = address(isIPv4(host) ? host : UNNAMED_DRIVE_ADDRESS);
    this.#bridge = address(BRIDGE_ADDRESS);
  }

  wrap(direction: "tx" | "rx", payload: Uint8Array): Buffer {
    const out = direction === "tx";
    const [from, to] = out ? [this.#bridge, this.#drive] : [this.#drive, this.#bridge];
    const tcp = Buffer.alloc(TCP_BYTES);
    tcp.writeUInt16BE(out ? BRIDGE_PORT : MODBUS_PORT, 0);
    tcp.writeUInt16BE(out ? MODBUS_PORT : BRIDGE_PORT, 2);
    tcp.writeUInt32BE(this.#next[direction], 4);
    tcp.writeUInt32BE(this.#next[out ? "rx" : "tx"], 8);
    tcp[12] = (TCP_BYTES / 4) << 4;
    tcp[13] = PSH_ACK;
    tcp.writeUInt16BE(WINDOW, 14);
    const pseudo = Buffer.concat([from, to, Buffer.of(0, TCP_PROTOCOL, 0, 0)]);
    pseudo.writeUInt16BE(TCP_BYTES + payload.length, 10);
    tcp.writeUInt16BE(internetChecksum(Buffer.concat([pseudo, tcp, payload])), 16);
    this.#next[direction] = (this.#next[direction] + payload.length) >>> 0;
    return Buffer.concat([ipHeader(from, to, TCP_BYTES + payload.length), tcp, payload]);
  }
}

function ipHeader(from: Buffer, to: Buffer, length: number): Buffer {
  const ip = Buffer.alloc(IP_BYTES);
  ip[0] = 0x40 | (IP_BYTES / 4);
  ip.writeUInt16BE(IP_BYTES + length, 2);
  ip[8] = TIME_TO_LIVE;
  ip[9] = TCP_PROTOCOL;
  from.copy(ip, 12);
  to.copy(ip, 16);
  ip.writeUInt16BE(internetChecksum(ip), 10);
  return ip;
}

const address = (text: string): Buffer => Buffer.from(text.split(".").map(Number));

/** RFC 1071. */
function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
